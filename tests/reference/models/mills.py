# minimax-ish fit of log-free Mills ratio R(x)=Phi(-x)/phi(x), x>=0 , in t = 1/(1+p x): R = t*poly(t)?
import numpy as np
from scipy.special import erfcx
def R(x): return np.sqrt(np.pi/2)*erfcx(x/np.sqrt(2))
best=None
for p in np.arange(0.15,0.6,0.01):
  for deg in (8,):
    # x in [0,inf): t in (0,1]
    k=np.arange(4000); t=0.5*(1+np.cos(np.pi*(k+.5)/4000)); t=t[t>1/(1+p*40)]
    x=(1/t-1)/p
    A=np.vander(t,deg+1,increasing=True)*t[:,None]; y=R(x)
    w=1/y
    for it in range(60):
        c,*_=np.linalg.lstsq(A*w[:,None],y*w,rcond=None)
        e=np.abs(A@c-y)/y
        w=w*(e/e.max()+1e-3)**0.3
    if best is None or e.max()<best[0]: best=(e.max(),p,deg,c)
print(best[0],best[1],best[2]); print([float(v) for v in best[3]])
# float32 eval
p,c=np.float32(best[1]),best[3].astype(np.float32)
x=np.linspace(0,13,200001).astype(np.float32)
t=(np.float32(1)/(np.float32(1)+p*x)).astype(np.float32)
s=np.zeros_like(t)+c[-1]
for a in c[-2::-1]: s=(s*t+a).astype(np.float32)
r=s*t
print('f32 err',np.max(np.abs(r/R(x.astype(float))-1)))

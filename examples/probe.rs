use gradstudy::*; use std::time::Instant;
fn main(){
  let n=5000; let mut s=1u32; let mut r=||{ s^=s<<13; s^=s>>17; s^=s<<5; (s as f32/u32::MAX as f32)};
  let d=data::Dataset{name:"x".into(),images:(0..n*784).map(|_|r()).collect(),shape:[1,28,28],labels:(0..n).map(|i|(i%10) as u32).collect(),classes:10};
  let net=models::find("lenet").unwrap().build(&signature::Args([("logits".to_string(),signature::Value::Integer(10))].into_iter().collect()),[1,28,28]).unwrap();
  let theta=models::weights::initial(&net,0);
  // correctness
  let dev=burn::tensor::Device::flex();
  let tn=gradients::tensor::TensorNetwork::new(&net,&theta,&dev);
  for (b,m) in [(1usize,20usize),(3,11),(100,3)] {
    let idx: Vec<u32>=(0..(b*m) as u32).collect();
    let mut g=vec![0f32; m*net.parameter_count()];
    let loss=gradients::record::record(&net,&theta,&d,&idx,b,&mut g,&|_|{});
    let t=tn.gradients(&d,&idx,b).into_data().to_vec::<f32>().unwrap();
    let p=tn.plain_gradient(&d,&idx[..b]).into_data().to_vec::<f32>().unwrap();
    let err=|a:&[f32],b:&[f32]| { let (mut e,mut q)=(0f64,0f64); for (x,y) in a.iter().zip(b){e+=((x-y) as f64).powi(2);q+=(*y as f64).powi(2);} (e/q).sqrt()};
    println!("B {b} loss {loss} host vs chunk {:.2e} host vs plain {:.2e}", err(&g,&t), err(&g[..p.len()],&p));
  }
  for (b,t) in [(1usize,5000usize),(100,200)] { for _ in 0..4 {
    let t0=Instant::now();
    let mut h=gradients::history::GradientHistory::in_memory(net.parameter_count(),t).unwrap();
    let idx: Vec<u32>=(0..(b*t) as u32).map(|i|i%5000).collect();
    gradients::record::record(&net,&theta,&d,&idx,b,h.values_mut(),&|_|{});
    println!("B {b} T {t}: {:.3}s", t0.elapsed().as_secs_f64());
  }}
  // compute only
  let mut ws=net.workspace(); let idx:Vec<u32>=(0..16).collect();
  let mut col=vec![0f32;net.parameter_count()*16];
  let t0=Instant::now(); let reps=200;
  for _ in 0..reps { gradients::record::record_block(&net,&theta,&d,&idx,1,&mut col,&mut ws); }
  println!("16 samples B1: {:.1} us/sample", t0.elapsed().as_secs_f64()*1e6/(16*reps) as f64);
  let t0=Instant::now();
  for _ in 0..reps { gradients::record::record_block(&net,&theta,&d,&idx,16,&mut col,&mut ws); }
  println!("16 samples B16: {:.1} us/sample", t0.elapsed().as_secs_f64()*1e6/(16*reps) as f64);
  for (i,p) in net.layers.iter().enumerate() { use gradstudy::layers::*;
    let inp=vec![lanes::Lanes::default(); size(if i==0 {net.input} else {net.layers[i-1].layer.output()})];
    let mut inp2=inp.clone(); let mut out=vec![lanes::Lanes::default(); size(p.layer.output())]; let go=out.clone();
    let mut sc=vec![lanes::Lanes::default(); 100000]; let th=&theta[p.range.clone()];
    let seg:Vec<_>=(0..16).map(|l|lanes::Segment{lanes:l..l+1,column:l,first:true}).collect();
    let seg1=vec![lanes::Segment{lanes:0..16,column:0,first:false}];
    let time=|f:&mut dyn FnMut()|{ f(); let t=Instant::now(); for _ in 0..200 {f()} t.elapsed().as_secs_f64()*1e6/3200.0};
    let a=time(&mut ||p.layer.forward(th,&inp,&mut out,&mut sc));
    let b=time(&mut ||p.layer.backward(th,&inp,&out,&go,&mut inp2,&mut sc));
    let pl=Place{stride:net.parameter_count(),offset:p.range.start};
    let c=time(&mut ||p.layer.gradient(&inp,&go,&mut sc,&seg,&mut col,pl));
    let e=time(&mut ||p.layer.gradient(&inp,&go,&mut sc,&seg1,&mut col,pl));
    println!("{:6} fwd {a:6.2} bwd {b:6.2} grad B1 {c:6.2} grad B16 {e:6.2} us/sample  flops {}", p.name, p.layer.flops());
  }
}

//! Eigenvalues of a symmetric matrix on an NVIDIA GPU by cuSOLVER (`cusolverDnXsyevd`), where that library is at hand.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cudarc::cusolver::safe::DnHandle;
use cudarc::cusolver::sys;
use cudarc::driver::{CudaContext, DevicePtrMut};
use rayon::prelude::*;

use super::super::symmetric::Symmetric;

/// All eigenvalues, descending, of a matrix, on CUDA device `device`; none where
/// cuSOLVER is not installed or fails, say for want of the GPU's memory.
///
/// Why not our own, which need nothing installed: of 5000 rows they take nine times as long on 16 cores.
pub fn eigenvalues(matrix: &Symmetric, device: usize) -> Option<Vec<f64>> {
    // A symbol that an old library lacks is a panic.
    catch_unwind(AssertUnwindSafe(|| solve(matrix, device)))
        .ok()
        .flatten()
}

fn solve(matrix: &Symmetric, device: usize) -> Option<Vec<f64>> {
    // SAFETY: it only looks for the library.
    if !unsafe { sys::is_culib_present() } {
        return None;
    }
    let n = matrix.order();
    let mut columns = vec![0.0f64; n * n];
    columns.par_chunks_mut(n).enumerate().for_each(|(j, column)| {
        for (i, value) in column.iter_mut().enumerate().skip(j) {
            *value = matrix[(i, j)];
        }
    });
    let stream = CudaContext::new(device).ok()?.new_stream().ok()?;
    let handle = DnHandle::new(stream.clone()).ok()?;
    let mut a = stream.clone_htod(&columns).ok()?;
    let mut values = stream.alloc_zeros::<f64>(n).ok()?;
    let mut info = stream.alloc_zeros::<i32>(1).ok()?;
    let real = sys::cudaDataType::CUDA_R_64F;
    let (job, half) = (
        sys::cusolverEigMode_t::CUSOLVER_EIG_MODE_NOVECTOR,
        sys::cublasFillMode_t::CUBLAS_FILL_MODE_LOWER,
    );
    let order = n as i64;
    let mut params = std::ptr::null_mut();
    let (mut on_device, mut on_host) = (0usize, 0usize);
    // SAFETY: cuSOLVER gets buffers of the sizes that it asks for, all of which live until the stream is done.
    unsafe {
        sys::cusolverDnCreateParams(&mut params).result().ok()?;
        let (a, _a) = a.device_ptr_mut(&stream);
        let (w, _w) = values.device_ptr_mut(&stream);
        let (status, _status) = info.device_ptr_mut(&stream);
        let asked = sys::cusolverDnXsyevd_bufferSize(
            handle.cu(),
            params,
            job,
            half,
            order,
            real,
            a as *const _,
            order,
            real,
            w as *const _,
            real,
            &mut on_device,
            &mut on_host,
        );
        let room = asked
            .result()
            .ok()
            .and_then(|()| stream.alloc_zeros::<u8>(on_device.max(1)).ok());
        let mut host = vec![0u8; on_host.max(1)];
        let solved = room.map(|mut room| {
            let (room, _room) = room.device_ptr_mut(&stream);
            let result = sys::cusolverDnXsyevd(
                handle.cu(),
                params,
                job,
                half,
                order,
                real,
                a as *mut _,
                order,
                real,
                w as *mut _,
                real,
                room as *mut _,
                on_device,
                host.as_mut_ptr() as *mut _,
                on_host,
                status as *mut _,
            );
            (result.result(), stream.synchronize())
        });
        let _ = sys::cusolverDnDestroyParams(params);
        match solved {
            Some((Ok(()), Ok(()))) => {}
            _ => return None,
        }
    }
    if stream.clone_dtoh(&info).ok()? != [0] {
        return None;
    }
    let mut values = stream.clone_dtoh(&values).ok()?;
    values.reverse();
    values.iter().all(|value| value.is_finite()).then_some(values)
}

//! What is read of files of every kind.

use super::*;

/// Element types, byte orders, missing values, axes: what the library reads.
#[test]
fn numbers_are_read_as_they_are() {
    let gradstudy = Gradstudy::new("");
    let path = |name: &str| gradstudy.path().join(name);
    let whole = |name: &str| {
        let arrays = arrays::open(&path(name), None).unwrap();
        let mut values = Vec::new();
        arrays[0].read(Along::All, 0..1, &mut values).unwrap();
        ((arrays[0].rows, arrays[0].columns), values)
    };
    let create = |name: &str| File::create(path(name)).unwrap();
    write_npy(create("i2.npy"), npyz::Order::C, &[3], &[-1i16, 0, 300]);
    assert_eq!(whole("i2.npy"), ((3, 1), vec![-1.0, 0.0, 300.0]));
    write_npy(
        create("u8.npy"),
        npyz::Order::C,
        &[2, 1, 2],
        &[1u64, 2, 3, 1 << 40],
    );
    assert_eq!(
        whole("u8.npy"),
        ((2, 2), vec![1.0, 2.0, 3.0, (1u64 << 40) as f64])
    );
    write_npy(create("scalar.npy"), npyz::Order::C, &[], &[2.5f64]);
    assert_eq!(whole("scalar.npy"), ((1, 1), vec![2.5]));
    // NumPy's `>f4`, byte by byte.
    let header = "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((118u16).to_le_bytes());
    bytes.extend(format!("{header:<117}\n").as_bytes());
    bytes.extend([1.5f32, -2.0].iter().flat_map(|x| x.to_be_bytes()));
    fs::write(path("big.npy"), bytes).unwrap();
    assert_eq!(whole("big.npy"), ((2, 1), vec![1.5, -2.0]));
    fs::write(path("gaps.csv"), "1, 2\n\"3\",\n-4e-3,inf\n").unwrap();
    let (shape, values) = whole("gaps.csv");
    assert_eq!((shape, &values[..3]), ((3, 2), &[1.0, 2.0, 3.0][..]));
    assert!(values[3].is_nan() && values[4..] == [-0.004, f64::INFINITY]);
    fs::write(path("tabs.tsv"), "x\ty\n1\t2\n").unwrap();
    assert_eq!(whole("tabs.tsv"), ((1, 2), vec![1.0, 2.0]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("i", Arc::new(Int32Array::from(vec![Some(4), None, Some(-6)]))),
        ("b", Arc::new(BooleanArray::from(vec![true, false, true]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        arrow_ipc::writer::StreamWriter::try_new(create("stream.arrow"), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let (shape, values) = whole("stream.arrow");
    assert_eq!(
        (shape, values[0], &values[3..]),
        ((3, 2), 4.0, &[0.0, -6.0, 1.0][..])
    );
    assert!(values[2].is_nan());
    let bits = [0x3f80u16, 0xc000]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect::<Vec<u8>>();
    let tensor = safetensors::tensor::TensorView::new(safetensors::Dtype::BF16, vec![2], &bits).unwrap();
    safetensors::serialize_to_file([("t", tensor)], None, &path("half.safetensors")).unwrap();
    assert_eq!(whole("half.safetensors"), ((2, 1), vec![1.0, -2.0]));
}

/// Blocks of samples in either order, small and large parts of a line.
#[test]
fn blocks_of_samples_are_read_whatever_lies_between_them() {
    let gradstudy = Gradstudy::new("");
    let (rows, columns) = (300usize, 1000usize);
    let value = |row: usize, column: usize| (row * columns + column) as f32 * 0.5;
    let c: Vec<f32> = (0..rows * columns)
        .map(|i| value(i / columns, i % columns))
        .collect();
    let f: Vec<f32> = (0..rows * columns).map(|i| value(i % rows, i / rows)).collect();
    for (name, order, values) in [("c.npy", npyz::Order::C, &c), ("f.npy", npyz::Order::Fortran, &f)] {
        let path = gradstudy.path().join(name);
        write_npy(
            File::create(&path).unwrap(),
            order,
            &[rows as u64, columns as u64],
            values,
        );
        let matrix = arrays::open(&path, None).unwrap().remove(0);
        for along in [Along::Rows, Along::Columns] {
            let (count, length) = matrix.samples(along);
            for range in [0..count, 5..25, 100..250, 50..count - 20, count - 1..count, 7..7] {
                let block = matrix.block(along, range.clone()).unwrap();
                assert_eq!((block.samples(), block.length()), (range.len(), length));
                let (mut all, mut one) = (Vec::new(), Vec::new());
                block.values(0..range.len(), &mut all);
                assert_eq!(all.len(), range.len() * length);
                for (i, sample) in range.clone().enumerate() {
                    let expected: Vec<f64> = (0..length)
                        .map(|place| {
                            f64::from(match along {
                                Along::Rows => value(sample, place),
                                _ => value(place, sample),
                            })
                        })
                        .collect();
                    assert!(
                        all[i * length..][..length] == expected[..],
                        "{name} {along:?} {range:?} {i}"
                    );
                    block.values(i..i + 1, &mut one);
                    assert!(one == expected, "{name} {along:?} {range:?} {i}");
                }
            }
        }
    }
}

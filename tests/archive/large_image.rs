//! An image larger than what octal digits of a header can say, as a file with a hole in it.

use std::io::{Read, Seek, SeekFrom, Write};

use airlock::archive::{ArchiveError, Pieces, arrange_image};
use airlock::limits::Limits;

use crate::archives::{hex, tar};

const LAYER_BYTES: u64 = 21 << 30;

#[test]
fn a_layer_of_21_gb_is_put_in_order_by_its_header_alone() {
    let config = format!(r#"{{"rootfs":{{"diff_ids":["sha256:{}"]}}}}"#, hex(b"x"));
    let manifest = r#"[{"Config":"c.json","RepoTags":["x:9.2.0"],"Layers":["l/layer.tar"]}]"#;
    let documents = tar().file("c.json", config).file("manifest.json", manifest);
    let mut header = ::tar::Header::new_gnu();
    header
        .set_path(format!("{}/layer.tar", "0".repeat(64)))
        .unwrap();
    header.set_size(LAYER_BYTES);
    header.set_cksum();
    let with_link = tar().symlink("l/layer.tar", &format!("../{}/layer.tar", "0".repeat(64)));
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.seek(SeekFrom::Current(LAYER_BYTES as i64)).unwrap();
    file.write_all(&with_link.open_ended()).unwrap();
    file.write_all(&documents.bytes()).unwrap();

    let arrange = |file: &std::fs::File| {
        let pieces = Pieces::of_file(file.try_clone().unwrap(), "x".to_owned()).unwrap();
        arrange_image(pieces, None, &Limits::default())
    };
    let mut arranged = arrange(&file).unwrap().unwrap();
    assert!(arranged.total_bytes() > LAYER_BYTES && arranged.total_bytes() < LAYER_BYTES + 8192);
    let mut head = [0; 512];
    arranged.read_exact(&mut head).unwrap();
    assert!(head.starts_with(b"airlock-image.json"));

    // Cut in its layer, the file says so instead of being taken for what is left of it.
    file.set_len(LAYER_BYTES / 2).unwrap();
    let cut = arrange(&file).err().unwrap();
    assert!(matches!(cut, ArchiveError::Truncated { .. }), "{cut}");
}

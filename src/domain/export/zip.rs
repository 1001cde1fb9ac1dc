//! ZIP archives of files that are stored as they are (APPNOTE 6.3.10, method 0), in one form only: reading refuses every
//! archive that writing would not have made, so that two readers cannot see two contents.

use flate2::Crc;

/// UTF-8 names.
const FLAGS: u16 = 0x0800;
/// 1980-01-01, the first day that the format knows: the manifest tells the time.
const DATE: u16 = 0x0021;
/// A regular file of its owner alone.
const ATTRIBUTES: u32 = 0o100_600 << 16;

/// A file that is too large, or has too long a name, for this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the archive would be larger than 4 GiB")]
pub struct TooLarge;

/// Writes an archive.
///
/// # Errors
/// [`TooLarge`].
pub fn pack(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, TooLarge> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let offset = size(archive.len())?;
        let common = common(name, bytes)?;
        archive.extend(b"PK\x03\x04\x14\x00");
        archive.extend(&common);
        archive.extend([0; 2]);
        archive.extend(name.as_bytes());
        archive.extend(bytes);
        // Made on Unix, by version 2.0.
        directory.extend(b"PK\x01\x02\x14\x03\x14\x00");
        directory.extend(&common);
        directory.extend([0; 8]);
        directory.extend(ATTRIBUTES.to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(files.len()).map_err(|_| TooLarge)?.to_le_bytes();
    let (offset, length) = (size(archive.len())?, size(directory.len())?);
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\x00\x00\x00\x00");
    archive.extend(count);
    archive.extend(count);
    archive.extend(length.to_le_bytes());
    archive.extend(offset.to_le_bytes());
    archive.extend([0; 2]);
    Ok(archive)
}

/// The members that both of a file's headers have: from its flags to the length of its name.
fn common(name: &str, bytes: &[u8]) -> Result<Vec<u8>, TooLarge> {
    let mut crc = Crc::new();
    crc.update(bytes);
    let length = size(bytes.len())?.to_le_bytes();
    let mut header = FLAGS.to_le_bytes().to_vec();
    header.extend([0; 4]);
    header.extend(DATE.to_le_bytes());
    header.extend(crc.sum().to_le_bytes());
    header.extend(length);
    header.extend(length);
    header.extend(u16::try_from(name.len()).map_err(|_| TooLarge)?.to_le_bytes());
    Ok(header)
}

fn size(length: usize) -> Result<u32, TooLarge> {
    u32::try_from(length).map_err(|_| TooLarge)
}

/// Reads an archive that [`pack`] wrote; `None` for any other.
#[must_use]
pub fn unpack(archive: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut rest = archive;
    while let Some(file) = rest.strip_prefix(b"PK\x03\x04\x14\x00") {
        let (header, after) = file.split_at_checked(24)?;
        let length = u32::from_le_bytes(header.get(16..20)?.try_into().ok()?);
        let name = u16::from_le_bytes(header.get(20..22)?.try_into().ok()?);
        let (name, after) = after.split_at_checked(usize::from(name))?;
        let (bytes, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
        files.push((String::from_utf8(name.to_vec()).ok()?, bytes.to_vec()));
        rest = after;
    }
    (pack(&files).ok()? == archive).then_some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_out_and_any_other_byte_is_refused() {
        let files = vec![("a.txt".to_owned(), b"one".to_vec()), ("tyhjä.csv".to_owned(), Vec::new())];
        let archive = pack(&files).unwrap();
        assert_eq!(unpack(&archive), Some(files.clone()));
        for at in 0..archive.len() {
            let mut changed = archive.clone();
            changed[at] ^= 1;
            assert_ne!(unpack(&changed), Some(files.clone()), "byte {at}");
            assert_eq!(unpack(&archive[..at]), None, "cut at {at}");
        }
        assert_eq!(unpack(b""), None);
        assert_eq!(unpack(&pack(&[]).unwrap()), Some(Vec::new()));
    }
}

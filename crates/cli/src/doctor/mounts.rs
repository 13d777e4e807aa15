//! Which file system a folder lies on, and whether other hosts see it and the locks made there.
//!
//! A run is held by a lock on a file, `flock(2)` to the system. What becomes of such a lock on a network is the file
//! system's to say, and often an option of the mount.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Every mount that this process sees.
const TABLE: &str = "/proc/self/mounts";

/// File systems that no other host sees.
const LOCAL: [&str; 16] = [
    "bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "jfs", "ntfs3", "overlay",
    "ramfs", "rootfs", "tmpfs", "vfat", "xfs", "zfs",
];

/// Who sees a folder, and the locks in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// No other host sees it.
    Local,
    /// Other hosts see it, and the locks made here.
    Shared,
    /// Other hosts see it, but not the locks made here.
    LocksStayHere,
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// Its type, such as `ext4` or `nfs4`.
    pub kind: String,
    /// The mount's options, with commas between them.
    pub options: String,
}

/// The file system that a folder lies on, or will lie on once it is made, and who sees it.
///
/// # Errors
/// If the folder or the table of mounts cannot be looked at.
pub fn shared(path: &Path) -> io::Result<(Mount, Reach)> {
    // The folder first: some file systems are mounted when they are first looked at.
    let folder = nearest(path)?;
    let table = fs::read(TABLE)?;
    let missing = || io::Error::new(ErrorKind::NotFound, format!("{TABLE} has no mount for it"));
    let mount = holding(&table, &folder).ok_or_else(missing)?;
    let reach = mount.reach();
    Ok((mount, reach))
}

/// The path itself if it exists, or the nearest of the folders around it that does, without links.
///
/// # Errors
/// If the system will not say, or a link leads nowhere.
pub fn nearest(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    for folder in path.ancestors() {
        match folder.canonicalize() {
            Ok(found) => return Ok(found),
            Err(error) if error.kind() == ErrorKind::NotFound && folder.is_symlink() => {
                let message = format!("{} is a link to nothing", folder.display());
                return Err(io::Error::new(ErrorKind::NotFound, message));
            }
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::NotFound.into())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

impl Mount {
    /// Who sees a folder on it, and the locks in that.
    pub fn reach(&self) -> Reach {
        let shared_if = |so: bool| match so {
            true => Reach::Shared,
            false => Reach::LocksStayHere,
        };
        match self.kind.as_str() {
            "nfs" | "nfs4" => {
                let here = ["nolock", "local_lock=all", "local_lock=flock"];
                shared_if(!here.iter().any(|option| self.has(option)))
            }
            "lustre" => shared_if(self.has("flock") && !self.has("localflock")),
            "cifs" | "smb3" => shared_if(!self.has("nobrl")),
            "gfs2" | "ocfs2" => shared_if(!self.has("localflocks")),
            "beegfs" | "ceph" | "gpfs" | "panfs" | "wekafs" => Reach::Shared,
            "fuse.ceph" | "fuse.ceph-fuse" | "fuse.glusterfs" | "fuse.juicefs" => Reach::Shared,
            // These leave locks to each host, whatever the mount says.
            "fuse.gcsfuse" | "fuse.rclone" | "fuse.s3fs" | "fuse.sshfs" => Reach::LocksStayHere,
            _ => Reach::Local,
        }
    }

    /// Whether it is known to be local, and not only taken for it.
    pub fn is_known_local(&self) -> bool {
        LOCAL.contains(&self.kind.as_str())
    }

    /// Why its locks may yet stay here, where no option of the mount tells.
    pub fn doubt(&self) -> Option<&'static str> {
        match self.kind.as_str() {
            // Off by default.
            "beegfs" => {
                Some("they see locks only if tuneUseGlobalFileLocks is on (beegfs-client.conf)")
            }
            // Two nodes were seen to hold one flock: ibm-granite/granite.build, issue 330.
            "gpfs" => Some("some of its versions keep this kind of lock (flock) on one host"),
            _ => None,
        }
    }

    /// How to have locks that other hosts see.
    pub fn cure(&self) -> &'static str {
        match self.kind.as_str() {
            "nfs" | "nfs4" => "mount it without nolock and with local_lock=none",
            "lustre" => "mount it with flock, not localflock",
            "cifs" | "smb3" => "mount it without nobrl",
            "gfs2" | "ocfs2" => "mount it without localflocks",
            _ => "use another file system",
        }
    }

    fn has(&self, option: &str) -> bool {
        self.options.split(',').any(|it| it == option)
    }
}

/// The mount that holds a path, of those in a table as `/proc/self/mounts` is one: the one nearest to it, and of two at
/// one place the later, which hides the other.
fn holding(table: &[u8], path: &Path) -> Option<Mount> {
    table
        .split(|&byte| byte == b'\n')
        .filter_map(parse)
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count())
}

/// A line of the table: device, place, type, options and two numbers.
fn parse(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|&byte| byte == b' ').skip(1);
    let mut field = || Some(decoded(fields.next()?));
    let point = PathBuf::from(OsString::from_vec(field()?));
    let kind = String::from_utf8_lossy(&field()?).into_owned();
    let options = String::from_utf8_lossy(&field()?).into_owned();
    Some(Mount {
        point,
        kind,
        options,
    })
}

/// A field as it was: the kernel writes spaces, line ends and backslashes as `\` and three octal digits.
fn decoded(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, after @ ..] = rest {
        match escaped(rest) {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// The byte that an escape at the beginning stands for, and what follows it.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let (code, after) = text.strip_prefix(b"\\")?.split_at_checked(3)?;
    // Three octal digits may say more than a byte holds.
    let byte = u8::from_str_radix(std::str::from_utf8(code).ok()?, 8).ok()?;
    Some((byte, after))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"/dev/vda / ext4 rw,relatime 0 0\n\
        proc /proc proc rw 0 0\n\
        systemd-1 /data autofs rw,fd=29 0 0\n\
        server:/data /data nfs4 rw,vers=4.2,local_lock=none 0 0\n\
        server:/my\\040data /my\\040data\\134x nfs rw,nolock,local_lock=all 0 0\n\
        tmpfs /data/scratch tmpfs rw 0 0\n\
        broken\n";

    fn kind(path: &str) -> String {
        holding(MOUNTS, Path::new(path)).unwrap().kind
    }

    #[test]
    fn the_nearest_mount_holds_a_path() {
        assert_eq!(kind("/"), "ext4");
        assert_eq!(kind("/home/me/runs"), "ext4");
        assert_eq!(kind("/data/runs"), "nfs4");
        assert_eq!(kind("/database"), "ext4");
        assert_eq!(kind("/data/scratch/runs"), "tmpfs");
        assert_eq!(kind("/my data\\x/runs"), "nfs");
        assert_eq!(holding(b"", Path::new("/")), None);
    }

    #[test]
    fn fields_are_decoded() {
        assert_eq!(decoded(b"a\\040b\\011\\134"), b"a b\t\\");
        assert_eq!(decoded(b"a\\04"), b"a\\04");
        assert_eq!(decoded(b"\\999\\377"), b"\\999\xff");
    }

    #[test]
    fn who_sees_the_locks_is_told_by_type_and_options() {
        let cases = [
            ("ext4", "rw", Reach::Local),
            ("overlay", "rw", Reach::Local),
            ("unheard-of", "rw", Reach::Local),
            ("nfs", "rw,vers=3,local_lock=none", Reach::Shared),
            ("nfs4", "rw,local_lock=posix", Reach::Shared),
            ("nfs", "rw,nolock,local_lock=all", Reach::LocksStayHere),
            ("nfs", "rw,local_lock=flock", Reach::LocksStayHere),
            ("lustre", "rw,flock,lazystatfs", Reach::Shared),
            ("lustre", "rw,lazystatfs", Reach::LocksStayHere),
            ("lustre", "rw,localflock", Reach::LocksStayHere),
            ("lustre", "rw,noflock", Reach::LocksStayHere),
            ("ceph", "rw", Reach::Shared),
            ("gpfs", "rw", Reach::Shared),
            ("beegfs", "rw", Reach::Shared),
            ("cifs", "rw,vers=3.1.1", Reach::Shared),
            ("cifs", "rw,nobrl", Reach::LocksStayHere),
            ("gfs2", "rw,localflocks", Reach::LocksStayHere),
            ("fuse.glusterfs", "rw", Reach::Shared),
            ("fuse.sshfs", "rw", Reach::LocksStayHere),
        ];
        for (kind, options, expected) in cases {
            let line = format!("source /place {kind} {options} 0 0");
            let mount = parse(line.as_bytes()).unwrap();
            assert_eq!(mount.reach(), expected, "{line}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_yet_will_lie_in_the_nearest_that_is() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        assert_eq!(nearest(&root).unwrap(), root);
        assert_eq!(nearest(&root.join("a/b/c")).unwrap(), root);
        let file = root.join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(nearest(&file.join("runs")).unwrap(), file);
        std::os::unix::fs::symlink("nowhere", root.join("link")).unwrap();
        assert!(nearest(&root.join("link/runs")).is_err());
        let mount = |path: &Path| shared(path).unwrap().0;
        assert_eq!(mount(&root.join("a/b")), mount(&root));
    }
}

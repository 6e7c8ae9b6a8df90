"""The only code that touches files by hand; every room may import it.

What it is for: the order of writes that survives a power cut (write, sync the
file, rename, sync the folder), locks that die with their process, opens that
follow no symlink and hang on no FIFO.  Everything here is small and knows
nothing of objects, refs or runs.

A name that begins with `tmp-` is a file being written: its writer holds a
lock on it, so whoever gets the lock may delete it (`sweep`).
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: `try_lock` and `wait_lock` have a twin below
    fcntl = None  # type: ignore[assignment]

Mapped = mmap.mmap | bytes
TEMPORARY = "tmp-"
_PLAIN = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_LITTLE_BYTES = 64 << 10


class NotAFile(OSError):
    """What lies at this path is a symlink, a folder, a FIFO or a device, where a plain file belongs."""


def open_read(path: Path) -> int:
    """Returns a descriptor to read the plain file at `path`; a symlink is not followed, a FIFO does not block.

    Raises:
        FileNotFoundError: there is nothing.
        NotAFile: there is something else than a file.
    """
    return _open_plain(path, os.O_RDONLY)


def open_update(path: Path) -> int:
    """Returns a descriptor to read and write the plain file at `path`, which exists.  Raises as `open_read` does."""
    return _open_plain(path, os.O_RDWR)


def open_lock(path: Path) -> int:
    """Returns a descriptor of the plain file at `path`, made empty if it is not there: something to lock."""
    return _open_plain(path, os.O_RDWR | os.O_CREAT)


def create(path: Path, mode: int = 0o644) -> int:
    """Returns a descriptor of the new file at `path`, open to read and write.

    Raises:
        FileExistsError: there is something already, a dangling symlink included.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _PLAIN, mode)


def _open_plain(path: Path, flags: int) -> int:
    try:
        fd = os.open(path, flags | _PLAIN | getattr(os, "O_NONBLOCK", 0), 0o644)
    except OSError as e:
        if e.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise NotAFile(e.errno, "not a plain file", str(path)) from e
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotAFile(errno.EINVAL, "not a plain file", str(path))
    return fd


def close(fd: int) -> None:
    """Closes a descriptor, and with its last copy the lock on it."""
    os.close(fd)


def has_name(fd: int) -> bool:
    """Returns whether the open file can still be found under some name."""
    return os.fstat(fd).st_nlink > 0


def size_bytes(fd: int) -> int:
    """Returns how long the open file is now."""
    return os.fstat(fd).st_size


def read_bytes(path: Path, *, limit: int | None = None) -> bytes:
    """Returns what the plain file at `path` holds.

    Raises:
        NotAFile: it is no plain file.
        OSError: EFBIG if it is larger than `limit` bytes; what the system says otherwise.
    """
    fd = open_read(path)
    with os.fdopen(fd, "rb", buffering=0) as file:
        if limit is not None and os.fstat(fd).st_size > limit:
            raise OSError(errno.EFBIG, f"larger than {limit} bytes", str(path))
        return file.readall()


def map_read(fd: int) -> Mapped:
    """Returns the bytes of the open file, mapped; an empty file, which cannot be mapped, as empty bytes.

    A mapping outlives the file's name: it stays readable when the file is renamed or deleted.
    """
    if os.fstat(fd).st_size == 0:
        return b""
    return mmap.mmap(fd, 0, access=mmap.ACCESS_READ)


def let_go(view: Mapped) -> None:
    """Tells the system that the pages of a mapped file need not count as this process's memory; they come back when read."""
    if isinstance(view, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        view.madvise(mmap.MADV_DONTNEED)


def write_at(fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Writes all of `data` at `offset`; short writes are continued.  Doing it twice is doing it once."""
    view = memoryview(data)
    try:
        while view:
            written = _pwrite(fd, view, offset)
            offset += written
            view = view[written:]
    finally:
        view.release()


def read_at(fd: int, size: int, offset: int) -> bytes:
    """Returns up to `size` bytes at `offset`; fewer only at the file's end."""
    data = _pread(fd, size, offset)
    while data and len(data) < size:
        more = _pread(fd, size - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def sync_data(fd: int) -> None:
    """Returns when what was written to `fd` is on the disk and its size is known there.

    On macOS fsync leaves it in the drive's cache: F_FULLFSYNC does not.
    """
    if sys.platform == "darwin":
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
            return
        except OSError as e:
            if e.errno not in (errno.ENOTSUP, errno.EINVAL):
                raise
    if hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    else:
        os.fsync(fd)


def sync_folder(path: Path) -> None:
    """Returns when the names in the folder (files made, renamed, deleted) are on the disk."""
    if sys.platform == "win32":  # folders cannot be opened there, and the system writes names through
        return
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as e:
        if e.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot
            raise
    finally:
        os.close(fd)


class Replacement:
    """A file being written under a temporary name, which `commit` gives its own."""

    def __init__(self, path: Path, mode: int = 0o644) -> None:
        self.path = path
        while True:
            self.temporary = path.with_name(TEMPORARY + os.urandom(8).hex())
            self.fd = create(self.temporary, mode)
            if try_lock(self.fd) and has_name(self.fd):
                break
            os.close(self.fd)  # a sweep came between: take another name

    def commit(self, *, durable: bool = True) -> None:
        """Renames over `path`: whole or not at all, whatever happens.  The caller syncs the folder."""
        if durable:
            sync_data(self.fd)
        if sys.platform == "win32":  # an open file cannot be renamed there
            self.close()
        rename(self.temporary, self.path)
        self.close()

    def abandon(self) -> None:
        """Removes the temporary file."""
        self.close()
        remove(self.temporary)

    def close(self) -> None:
        """Lets go of the descriptor and its lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@contextmanager
def replacing(path: Path, *, mode: int = 0o644, durable: bool = True) -> Iterator[int]:
    """Yields a descriptor to write; when the block ends the file at `path` is what was written to it.

    If the block raises, `path` is untouched.
    """
    new = Replacement(path, mode)
    try:
        yield new.fd
        new.commit(durable=durable)
    except BaseException:
        new.abandon()
        raise
    if durable:
        sync_folder(path.parent)


def write_atomic(path: Path, data: bytes, *, mode: int = 0o644, durable: bool = True) -> None:
    """Makes `data` the content of `path`: readers, and a power cut, see the old or the new, never a part."""
    with replacing(path, mode=mode, durable=durable) as fd:
        write_at(fd, data, 0)


def append(path: Path, data: bytes) -> None:
    """Puts `data` behind what the plain file at `path` holds, in one write; it is made if it is not there.

    For what may be lost: another process may append at the same time, and a
    full disk leaves a part.
    """
    fd = _open_plain(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


def rename(path: Path, target: Path) -> None:
    """Gives the file another name, over what has it; at once, within one file system."""
    path.replace(target)


def remove(path: Path) -> None:
    """Deletes the file, if it is there.  Windows keeps one that somebody has mapped: it is left for another time."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        if sys.platform != "win32":
            raise


def sweep(folder: Path) -> None:
    """Deletes temporary files whose writers are dead."""
    for name in list_folder(folder):
        if not name.startswith(TEMPORARY):
            continue
        try:
            fd = open_update(folder / name)
        except OSError:
            continue
        try:
            if try_lock(fd):
                remove(folder / name)
        finally:
            os.close(fd)


def list_folder(path: Path) -> list[str]:
    """Returns the names in the folder, sorted; none if there is no such folder.

    Raises:
        NotAFile: it is a symlink, which might lead anywhere.
    """
    try:
        if path.is_symlink():
            raise NotAFile(errno.ELOOP, "a symlink where a folder belongs", str(path))
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries)
    except FileNotFoundError:
        return []


def open_files_limit() -> int:
    """Returns how many descriptors this process may have."""
    try:
        import resource
    except ImportError:  # Windows
        return 512
    return int(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


MOUNTS = Path("/proc/self/mounts")
_REMOTE = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ncpfs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs",
    "davfs", "vboxsf", "prl_fs", "vmhgfs", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys",
    "fuse.glusterfs", "fuse.ceph-fuse", "fuse.davfs2", "fuse.smbnetfs", "fuse.vmhgfs-fuse", "fuse.grpcfuse",
})  # fmt: skip


def network_file_system(path: Path) -> str:
    """Returns the type of the file system at `path` if its files lie on another machine, else ""; also where nobody tells.

    There neither a lock nor shared memory can be relied on.  9p over an open
    descriptor is what some sandboxes have for a disk; Windows' drives in Linux
    (`aname=drvfs`) are another machine's.
    """
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    real = os.path.realpath(path)
    found, longest = "", -1
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 4:
            continue
        point = fields[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\").rstrip("/")
        if len(point) >= longest and (real + "/").startswith(point + "/"):
            longest = len(point)
            local = fields[2] == "9p" and "trans=fd" in fields[3] and "aname=drvfs" not in fields[3]
            found = fields[2] if fields[2] in _REMOTE and not local else ""
    return found


def has_room(folder: Path) -> bool:
    """Returns whether the disk under a folder, or this user's share of it, has room for a few small files."""
    if sys.platform == "win32":
        return True
    try:
        status = os.statvfs(folder)
    except OSError:
        return True
    return status.f_bavail * status.f_frsize >= _LITTLE_BYTES and (status.f_favail > 0 or status.f_files == 0)


def is_read_only(folder: Path) -> bool:
    """Returns whether nothing can be made in the folder: by its mode, or by its file system."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return True
    if hasattr(os, "statvfs"):
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    return False


if fcntl is not None:

    def try_lock(fd: int) -> bool:
        """Returns whether the exclusive lock on the open file is now held; it dies with the last copy of the descriptor."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            if e.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise
        return True

    def is_locked(fd: int) -> bool:
        """Returns whether somebody holds the exclusive lock on the open file; several may ask at once."""
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as e:
            if e.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return True
            raise
        fcntl.flock(fd, fcntl.LOCK_UN)
        return False

    def wait_lock(fd: int) -> None:
        """Returns when the exclusive lock is held."""
        fcntl.flock(fd, fcntl.LOCK_EX)

    def unlock(fd: int) -> None:
        """Gives the lock back."""
        fcntl.flock(fd, fcntl.LOCK_UN)

    _pread, _pwrite = os.pread, os.pwrite

else:  # pragma: no cover - Windows
    import msvcrt
    import threading

    _LOCK_AT = 1 << 62  # a byte past every end: msvcrt's locks are mandatory, data must stay readable
    _seek = threading.Lock()

    def try_lock(fd: int) -> bool:
        """Returns whether the exclusive lock on the open file is now held."""
        with _seek:
            os.lseek(fd, _LOCK_AT, os.SEEK_SET)
            try:
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            except OSError:
                return False
        return True

    def is_locked(fd: int) -> bool:
        """Returns whether somebody holds the lock on the open file."""
        if not try_lock(fd):
            return True
        unlock(fd)
        return False

    def wait_lock(fd: int) -> None:
        """Returns when the exclusive lock is held."""
        while not try_lock(fd):
            threading.Event().wait(0.01)

    def unlock(fd: int) -> None:
        """Gives the lock back."""
        with _seek:
            os.lseek(fd, _LOCK_AT, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

    def _pread(fd: int, size: int, offset: int) -> bytes:
        with _seek:
            os.lseek(fd, offset, os.SEEK_SET)
            return os.read(fd, size)

    def _pwrite(fd: int, data: memoryview, offset: int) -> int:
        with _seek:
            os.lseek(fd, offset, os.SEEK_SET)
            return os.write(fd, data)

"""The filesystem: bindings, streams over files, and the standard library."""

import errno
import os
import stat

from checks import check, equal, fails, raises
from wit_world.imports import preopens
from wit_world.imports.streams import StreamError_Closed, StreamError_LastOperationFailed
from wit_world.imports.wall_clock import Datetime
from wit_world.imports.wasi_filesystem_types import (
    DescriptorFlags as D,
    DescriptorType as Type,
    ErrorCode as E,
    NewTimestamp_NoChange,
    NewTimestamp_Timestamp,
    OpenFlags as O,
    PathFlags as P,
    filesystem_error_code,
)


def work():
    return next(dir for dir, name in preopens.get_directories() if name == "work")


def create(dir, path):
    return dir.open_at(P(0), path, O.CREATE, D.READ | D.WRITE)


def errors():
    dir = work()
    fails(lambda: dir.open_at(P(0), "missing", O(0), D.READ), E.NO_ENTRY)
    fails(lambda: dir.open_at(P(0), "../x", O(0), D.READ), E.NOT_PERMITTED)
    dir.create_directory_at("d")
    fails(lambda: dir.create_directory_at("d"), E.EXIST)
    fails(lambda: create(dir, "d"), E.IS_DIRECTORY)
    fails(lambda: dir.remove_directory_at("missing"), E.NO_ENTRY)
    dir.symlink_at("loop", "loop")
    fails(lambda: dir.stat_at(P.SYMLINK_FOLLOW, "loop"), E.LOOP)


def files():
    dir = work()
    with create(dir, "größe") as file:
        equal(file.write(b"hello world", 0), 11)
        part, end = file.read(5, 6)
        equal((part, type(end)), (b"world", bool))
        found = file.stat()
        equal((found.type, found.size, found.link_count), (Type.REGULAR_FILE, 11, 1))
        flags = file.get_flags()
        check(D.READ in flags and D.WRITE in flags and D.MUTATE_DIRECTORY not in flags)
        file.set_times(NewTimestamp_Timestamp(Datetime(1000, 5)), NewTimestamp_NoChange())
        equal(file.stat().data_access_timestamp.seconds, 1000)
        check(file.is_same_object(dir.open_at(P(0), "größe", O(0), D.READ)))
        one, two = file.metadata_hash(), dir.metadata_hash_at(P(0), "größe")
        equal((one.lower, one.upper), (two.lower, two.upper))


def directories():
    dir = work()
    for i in range(300):
        create(dir, f"file-{i:03}").__exit__(None, None, None)
    dir.create_directory_at("sub")
    names = {}
    with dir.read_directory() as entries:
        while (entry := entries.read_directory_entry()) is not None:
            names[entry.name] = entry.type
    equal(len(names), 301)
    equal((names["sub"], names["file-000"]), (Type.DIRECTORY, Type.REGULAR_FILE))
    dir.rename_at("file-000", dir, "sub/moved")
    dir.link_at(P(0), "sub/moved", dir, "again")
    equal(dir.stat_at(P(0), "again").link_count, 2)


def streams():
    dir = work()
    source, target = create(dir, "from"), create(dir, "to")
    with source.write_via_stream(0) as output:
        permit = output.check_write()
        check(permit > 0)
        output.write(b"hello world")
        output.blocking_flush()
        output.blocking_write_zeroes_and_flush(2)
    with source.read_via_stream(0) as input, target.write_via_stream(0) as output:
        moved = 0
        while moved < 13:
            moved += output.blocking_splice(input, 4)
        fails(lambda: output.blocking_splice(input, 4), StreamError_Closed())
        output.blocking_flush()
    equal(target.read(100, 0)[0], b"hello world\0\0")
    with source.read_via_stream(6) as input:
        equal(input.blocking_skip(3), 3)
        equal(input.blocking_read(2**64 - 1), b"ld\0\0")
        fails(lambda: input.blocking_read(1), StreamError_Closed())
    with target.append_via_stream() as output:
        output.blocking_write_and_flush(b"!")
    equal(target.stat().size, 14)


def stream_errors():
    file = create(work(), "f")
    try:
        output = file.write_via_stream(2**64 - 1)
    except Exception:
        return
    # A resource inside of an error inside of a variant.
    error = fails(lambda: output.blocking_write_and_flush(b"x"), StreamError_LastOperationFailed).value
    check(error.to_debug_string())
    check(filesystem_error_code(error) in (E.INVALID, E.OVERFLOW, E.FILE_TOO_LARGE))
    fails(output.check_write, StreamError_Closed())


def resources():
    dir = work()
    create(dir, "f").write(b"x", 0)
    # None is left behind, however many there are, released one by one or all at once.
    for _ in range(3000):
        with dir.open_at(P(0), "f", O(0), D.READ) as file, file.read_via_stream(0) as stream, stream.subscribe() as ready:
            ready.block()
    kept = [dir.open_at(P(0), "f", O(0), D.READ) for _ in range(200)]
    equal({file.read(1, 0)[0] for file in kept}, {b"x"})
    del kept


def library():
    os.mkdir("work/d")
    with open("work/d/notes.txt", "w", encoding="utf-8") as file:
        file.write("größe\nzwei\n")
    with open("work/d/notes.txt", encoding="utf-8") as file:
        equal(list(file), ["größe\n", "zwei\n"])
    with open("work/d/notes.txt", "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")
        equal(file.tell(), 13)
        file.truncate(5)
    equal(os.stat("work/d/notes.txt").st_size, 5)
    os.rename("work/d/notes.txt", "work/moved")
    os.symlink("moved", "work/link")
    check(stat.S_ISLNK(os.lstat("work/link").st_mode) and stat.S_ISREG(os.stat("work/link").st_mode))
    equal(os.readlink("work/link"), "moved")
    equal(sorted(os.listdir("work")), ["d", "link", "moved"])
    equal([(entry.name, entry.is_dir()) for entry in os.scandir("work") if entry.name == "d"], [("d", True)])
    os.utime("work/moved", (1000, 2000))
    equal(os.stat("work/moved").st_mtime, 2000)


def library_errors():
    os.mkdir("work/d")
    with open("work/f", "x"):
        pass
    raises(lambda: open("work/missing"), errno.ENOENT)
    raises(lambda: open("work/f", "x"), errno.EEXIST)
    raises(lambda: open("work/d", "w"), errno.EISDIR)
    raises(lambda: open("work/f/x"), errno.ENOTDIR)
    raises(lambda: os.rmdir("work/f"), errno.ENOTDIR)
    raises(lambda: os.readlink("work/f"), errno.EINVAL)
    with open("work/d/x", "w"):
        pass
    raises(lambda: os.rmdir("work/d"), errno.ENOTEMPTY)
    # What is not granted.
    raises(lambda: open("/etc/passwd"), errno.ENOENT, errno.EBADF, errno.EPERM, errno.ENOTCAPABLE)
    raises(lambda: open("work/../../x"), errno.EPERM, errno.ENOENT, errno.ENOTCAPABLE)


CASES = {
    "errors": errors,
    "files": files,
    "directories": directories,
    "streams": streams,
    "stream-errors": stream_errors,
    "resources": resources,
    "library-files": library,
    "library-errors": library_errors,
}

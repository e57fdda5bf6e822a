/* A disk that fails or hangs, for one process: preloaded into it, in place of the system's writes. The file that AUTH_FAULTS names says
   how: "fail" (EIO), "hang" (until the file says otherwise), or anything else for a disk that is well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char said(void) {
    char first = 0;
    const char *path = getenv("AUTH_FAULTS");
    int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        if (syscall(SYS_read, file, &first, 1) != 1) first = 0;
        syscall(SYS_close, file);
    }
    return first;
}

static int fails(int file) {
    struct stat kind;
    if (fstat(file, &kind) != 0 || !S_ISREG(kind.st_mode)) return 0;
    while (said() == 'h') nanosleep(&(struct timespec){0, 1000000}, NULL);
    if (said() != 'f') return 0;
    errno = EIO;
    return 1;
}

#define INSTEAD(type, name, parameters, arguments)                            \
    type name parameters {                                                    \
        static type(*next) parameters;                                        \
        if (!next) next = (type(*) parameters)dlsym(RTLD_NEXT, #name);        \
        return fails(file) ? -1 : next arguments;                             \
    }

INSTEAD(ssize_t, pwrite, (int file, const void *data, size_t count, off_t at), (file, data, count, at))
INSTEAD(ssize_t, pwrite64, (int file, const void *data, size_t count, off64_t at), (file, data, count, at))
INSTEAD(int, ftruncate, (int file, off_t length), (file, length))
INSTEAD(int, ftruncate64, (int file, off64_t length), (file, length))
INSTEAD(int, fsync, (int file), (file))
INSTEAD(int, fdatasync, (int file), (file))

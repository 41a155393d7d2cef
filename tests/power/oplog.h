/*
 * What a program does to the files of one directory, written down in the
 * order in which it happens, so that it can be asked afterwards what a power
 * cut would have left (outage.h).
 *
 * oplog.c stands in for open(), write(), fsync() and so on: linked into a
 * test, or preloaded into a program by LD_PRELOAD with OPLOG_DIR and OPLOG_FILE
 * in the environment; several processes may share a file.  What it cannot
 * see (mmap, sendfile) must not be used for what is to last; SQLite's -shm is
 * made anew and left out.
 */
#ifndef TESTS_POWER_OPLOG_H
#define TESTS_POWER_OPLOG_H

#include <stdint.h>

enum oplog_kind {
	OPLOG_IS = 1,		/* file name was there; its octets follow */
	OPLOG_BEGUN,		/* that was all that was there */
	OPLOG_OPEN,		/* file name; new and empty if it is no name yet */
	OPLOG_WRITE,		/* at, octets */
	OPLOG_SIZE,		/* ftruncate: at is the size */
	OPLOG_SYNC,		/* fsync or fdatasync returned 0 */
	OPLOG_SYNC_DIR,
	OPLOG_UNLINK,		/* name */
	OPLOG_RENAME,		/* name, NUL, new name */
	OPLOG_LINK,		/* likewise; both names are there then */
	OPLOG_MARK		/* at: what somebody was promised by now */
};

struct oplog_op {
	uint32_t	 kind;
	uint32_t	 len;		/* of what follows */
	uint64_t	 file;		/* inode number; unlike for two files
					 * that live at the same time */
	int64_t		 at;
};

/* For a test: from here on, what happens in dir goes to file, a new one, that
 * begins with what is there.  dir is absolute and has no folders. */
void	 oplog_begin(const char *dir, const char *file);
void	 oplog_end(void);
/* Somebody was promised that everything up to here lasts. */
void	 oplog_mark(int64_t number);

#endif

/* Temporary folders and short-hands shared by the ledger's tests. Each function that can fail
 * fails the running test. */
#ifndef TESTS_LEDGER_FOLDER_H
#define TESTS_LEDGER_FOLDER_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "ledger/ledger.h"

enum { TEST_SEGMENT_BYTES = 128 * 1024 };

/* Where a test tries one change after the other: ThreadSanitizer looks for races, which the next
 * change shows no better than the last. Every other build tries them all. */
#ifdef __SANITIZE_THREAD__
enum { OF_CHANGES_ONE_IN = 20 };
#else
enum { OF_CHANGES_ONE_IN = 1 };
#endif

struct test_folder {
    char path[128];
};

void folder_make(struct test_folder *folder);
void folder_remove(struct test_folder *folder);
/* Plain files only: what is in folders below (tiles) is not copied. */
void folder_copy(const struct test_folder *from, struct test_folder *to);
/* folder/name, in a static buffer. */
const char *folder_file(const struct test_folder *folder, const char *name);
const char *folder_segment(const struct test_folder *folder, unsigned number);

/* Whole small files. */
void read_whole(const char *path, struct buffer *out);
void write_whole(const char *path, struct slice bytes);

struct ledger_options test_options(const struct test_folder *folder);
struct ledger *open_ok(const struct ledger_options *options);
/* Until the keeper has made the next segment's spare; at most ten seconds. */
void wait_for_spare(const struct test_folder *folder, struct ledger *ledger);
/* A copy of the folder as a crash at this instant would leave it in the page cache. */
void live_image(const struct test_folder *from, struct ledger *ledger, struct test_folder *to);
/* An ACT entry with this text. */
uint64_t append_text(struct ledger *ledger, const char *text);

/* A thread that appends, one entry after the other, until stop. */
struct folder_writing {
    struct ledger *ledger;
    _Atomic bool stop;
};
void *folder_keep_writing(void *writing);

#define assert_status(got, want)                                                                   \
    do {                                                                                           \
        enum status got_ = (got), want_ = (want);                                                  \
        if (got_ != want_)                                                                         \
            fail_msg("status is %s, expected %s", status_name(got_), status_name(want_));          \
    } while (0)

#endif

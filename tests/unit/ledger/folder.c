/* See folder.h. */
#include "folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* In memory where there is a place for it: what the disk does is not under test here. */
void folder_make(struct test_folder *folder)
{
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder->path, sizeof folder->path, "%s/cofferdam-ledger-XXXXXX", parent);
    if (mkdtemp(folder->path) == NULL)
        fail_msg("mkdtemp %s", folder->path);
}

/* Calls fn for each plain file's name. */
static void each_file(const struct test_folder *folder,
                      void (*fn)(const char *name, const struct test_folder *folder, void *context),
                      void *context)
{
    DIR *dir = opendir(folder->path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.' && entry->d_type == DT_REG)
            fn(entry->d_name, folder, context);
    closedir(dir);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    return remove(path);
}

void folder_remove(struct test_folder *folder)
{
    assert_int_equal(nftw(folder->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void copy_file(const char *name, const struct test_folder *folder, void *context)
{
    struct buffer bytes;
    buffer_init(&bytes, 64 << 20);
    struct stat about;
    if (stat(folder_file(folder, name), &about) == 0 && S_ISREG(about.st_mode)) {
        read_whole(folder_file(folder, name), &bytes);
        write_whole(folder_file(context, name), buffer_slice(&bytes));
    }
    buffer_free(&bytes);
}

void folder_copy(const struct test_folder *from, struct test_folder *to)
{
    struct test_folder kept, copy;
    each_file(from, copy_file, to);
    snprintf(kept.path, sizeof kept.path, "%.100s/checkpoints", from->path);
    snprintf(copy.path, sizeof copy.path, "%.100s/checkpoints", to->path);
    if (!file_exists(kept.path))
        return;
    assert_int_equal(mkdir(copy.path, 0700), 0);
    each_file(&kept, copy_file, &copy);
}

const char *folder_file(const struct test_folder *folder, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return path;
}

const char *folder_segment(const struct test_folder *folder, unsigned number)
{
    char name[64];
    snprintf(name, sizeof name, "segment-%010u.log", number);
    return folder_file(folder, name);
}

void read_whole(const char *path, struct buffer *out)
{
    struct error error = {0};
    if (file_read(path, out, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

void write_whole(const char *path, struct slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_status(file_write_at(fd, bytes.data, bytes.len, 0, NULL), STATUS_OK);
    close(fd);
}

struct ledger_options test_options(const struct test_folder *folder)
{
    return (struct ledger_options){
        .folder = folder->path, .node = "node-1", .segment_bytes = TEST_SEGMENT_BYTES};
}

struct ledger *open_ok(const struct ledger_options *options)
{
    struct ledger *ledger = NULL;
    struct error error = {0};
    if (ledger_open(options, &ledger, &error) != STATUS_OK)
        fail_msg("ledger_open: %s: %s", status_name(error.status), error.message);
    return ledger;
}

void wait_for_spare(const struct test_folder *folder, struct ledger *ledger)
{
    struct ledger_state state;
    char name[64];
    for (int i = 0; i < 10000; i++) {
        ledger_state(ledger, &state);
        snprintf(name, sizeof name, "segment-%010u.spare", (unsigned)state.current_segment + 1);
        if (file_exists(folder_file(folder, name)))
            return;
        usleep(1000);
    }
    fail_msg("no %s after ten seconds", name);
}

void live_image(const struct test_folder *from, struct ledger *ledger, struct test_folder *to)
{
    wait_for_spare(from, ledger);
    folder_make(to);
    folder_copy(from, to);
}

uint64_t append_text(struct ledger *ledger, const char *text)
{
    struct ledger_entry entry = {.type = LEDGER_ACT, .text = slice_of_text(text)};
    struct error error = {0};
    uint64_t sequence = UINT64_MAX;
    if (ledger_append(ledger, &entry, slice_of(NULL, 0), &sequence, &error) != STATUS_OK)
        fail_msg("ledger_append: %s", error.message);
    return sequence;
}

void *folder_keep_writing(void *context)
{
    struct folder_writing *writing = context;
    struct ledger_entry entry = {.type = LEDGER_ACT, .text = slice_of_text("meanwhile")};
    while (!atomic_load(&writing->stop)) {
        uint64_t sequence;
        if (ledger_append(writing->ledger, &entry, slice_of(NULL, 0), &sequence, NULL) == STATUS_OK)
            ledger_wait(writing->ledger, sequence);
        usleep(500); /* the log must not grow faster than it is read, however busy the machine */
    }
    return NULL;
}

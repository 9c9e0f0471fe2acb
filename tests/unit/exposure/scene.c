/* See scene.h. */
#include "scene.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

void scene_make(struct scene *scene)
{
    *scene = (struct scene){0};
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(scene->root, sizeof scene->root, "%s/cofferdam-exposure-XXXXXX", parent);
    assert_non_null(mkdtemp(scene->root));
    snprintf(scene->subjects, sizeof scene->subjects, "%s/subjects", scene->root);
    snprintf(scene->ledger_folder, sizeof scene->ledger_folder, "%s/ledger", scene->root);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    return remove(path);
}

void scene_remove(struct scene *scene)
{
    nftw(scene->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

enum status scene_try_open(struct scene *scene, struct error *error)
{
    scene->ledger = NULL;
    scene->exposure = NULL;
    TRY(exposure_open(scene->subjects, &scene->exposure, error));
    struct ledger_options options = {.folder = scene->ledger_folder,
                                     .node = "test",
                                     .segment_bytes = 131072,
                                     .replay = exposure_replay,
                                     .replay_context = scene->exposure};
    enum status status = ledger_open(&options, &scene->ledger, error);
    if (status == STATUS_OK)
        status = exposure_attach(scene->exposure, scene->ledger, error);
    if (status == STATUS_OK)
        return status;
    exposure_close(scene->exposure);
    if (scene->ledger != NULL)
        ledger_close(scene->ledger);
    return status;
}

void scene_open(struct scene *scene)
{
    struct error error = {0};
    if (scene_try_open(scene, &error) != STATUS_OK)
        fail_msg("open: %s", error.message);
}

void scene_close(struct scene *scene)
{
    exposure_close(scene->exposure);
    ledger_close(scene->ledger);
}

const char *scene_subjects_file(const struct scene *scene, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", scene->subjects, name);
    return path;
}

struct subject_key key_of(uint16_t kind, const char *text)
{
    return (struct subject_key){.kind = kind, .key = slice_of_text(text)};
}

uint64_t disclose(struct scene *scene, const struct disclosure *what)
{
    struct subject_key *keys = calloc(what->count + 1, sizeof *keys);
    char(*numbers)[24] = calloc(what->count + 1, sizeof *numbers);
    uint32_t *ids = calloc(what->count + 1, sizeof *ids);
    struct buffer side, set;
    struct error error = {0};
    uint64_t sequence;
    buffer_init(&side, 1 << 20);
    buffer_init(&set, 1 << 20);
    for (size_t i = 0; i < what->count; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%zu", what->number + i);
        keys[i] = key_of(what->kind, what->keys == NULL ? numbers[i] : what->keys[i]);
    }
    if (exposure_map(scene->exposure, keys, what->count, ids, &side, &error) != STATUS_OK)
        fail_msg("map: %s", error.message);
    subject_set_serialize(ids, what->count, &set);
    struct ledger_item item = {.kind = what->kind,
                               .grade = what->grade,
                               .k = what->k,
                               .column_set = what->column_set,
                               .subjects = buffer_slice(&set)};
    struct ledger_entry entry = {.type = what->type == 0 ? LEDGER_DISCLOSURE : what->type,
                                 .flags = what->flags,
                                 .time_ns = what->time_ns,
                                 .partner = slice_of_text(what->partner),
                                 .purpose =
                                     slice_of_text(what->purpose == NULL ? "" : what->purpose),
                                 .text = slice_of_text(what->text == NULL ? "" : what->text),
                                 .items = &item,
                                 .item_count = what->count > 0 ? 1 : 0,
                                 .column_set = what->column_set,
                                 .chunk_count = 1};
    memset(entry.statement_hash, what->statement, sizeof entry.statement_hash);
    while (ledger_append(scene->ledger, &entry, buffer_slice(&side), &sequence, &error) !=
           STATUS_OK) {
        if (strcmp(error.sqlstate, "53100") != 0)
            fail_msg("append: %s", error.message);
        usleep(1000); /* the next segment is being prepared */
    }
    exposure_record(scene->exposure, sequence, &entry);
    buffer_free(&side);
    buffer_free(&set);
    free(keys);
    free(numbers);
    free(ids);
    return sequence;
}

uint32_t column_set(struct scene *scene, const char *canonical)
{
    struct error error = {0};
    uint32_t id;
    while (ledger_column_set(scene->ledger, canonical, &id, &error) != STATUS_OK) {
        if (strcmp(error.sqlstate, "53100") != 0)
            fail_msg("column set: %s", error.message);
        usleep(1000); /* the next segment is being prepared */
    }
    return id;
}

int64_t instant(const char *text)
{
    int64_t time_ns;
    assert_status(clock_parse(text, &time_ns, NULL), STATUS_OK);
    return time_ns;
}

char *table_text(const struct table *table)
{
    struct buffer text;
    buffer_init(&text, 1 << 24);
    for (struct table_row *row = table->first; row != NULL; row = row->next)
        for (size_t i = 0; i < table->column_count; i++)
            buffer_printf(&text, "%s%s", row->cells[i] == NULL ? "-" : row->cells[i],
                          i + 1 < table->column_count ? "|" : "\n");
    assert_non_null(buffer_text(&text));
    return (char *)text.data;
}

/* Ledger, plan, rows. */
#include "scene.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "exposure/subject_set.h"
#include "gateway/trust/watching.h"
#include "watch/watch.h"
#include "wire/wire.h"

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    return remove(path);
}

static void open_ledger(struct scene *scene)
{
    char folder[96], subjects[96];
    struct error error;
    snprintf(folder, sizeof folder, "%s/ledger", scene->root);
    snprintf(subjects, sizeof subjects, "%s/subjects", scene->root);
    assert_true(mkdir(folder, 0700) == 0 || errno == EEXIST);
    assert_true(mkdir(subjects, 0700) == 0 || errno == EEXIST);
    assert_status(exposure_open(subjects, &scene->server.exposure, &error), STATUS_OK);
    struct ledger_options options = {.folder = folder,
                                     .node = "test",
                                     .segment_bytes = 16 * 1024 * 1024,
                                     .replay = exposure_replay,
                                     .replay_context = scene->server.exposure};
    assert_status(ledger_open(&options, &scene->server.ledger, &error), STATUS_OK);
    assert_status(exposure_attach(scene->server.exposure, scene->server.ledger, &error), STATUS_OK);
    assert_status(watching_open(&scene->server, &error), STATUS_OK);
}

void scene_open(struct scene *scene, size_t hidden_count)
{
    struct error error;
    *scene = (struct scene){0};
    snprintf(scene->root, sizeof scene->root, "/tmp/cofferdam-test-XXXXXX");
    assert_non_null(mkdtemp(scene->root));
    open_ledger(scene);
    scene->config.limits.max_lineage_bytes = LIMIT_ROW_BYTES;
    scene->server.config = &scene->config;
    scene->partner.name = "acme";
    scene->agent = (struct policy_agent){.name = "job", .login = "acme.job"};
    scene->plan = (struct plan){.references = 1000,
                                .kind = PLAN_QUERY,
                                .command = "SELECT",
                                .visible_count = 1,
                                .hidden = scene->hidden,
                                .hidden_count = hidden_count,
                                .fence_count = hidden_count,
                                .relay_limit = -1};
    static char none[] = "";
    scene->planned = (struct planned){.counted = none,
                                      .references = 1000,
                                      .plan = &scene->plan,
                                      .column_sets = scene->column_sets};
    for (size_t i = 0; i < hidden_count; i++) {
        char text[64];
        snprintf(text, sizeof text, "person.c%zu:clear:name\n", i);
        assert_status(ledger_column_set(scene->server.ledger, text, &scene->column_sets[i], &error),
                      STATUS_OK);
        scene->hidden[i].grade = PLAN_GRADE_DIRECT;
    }
    batch_init(&scene->batch);
    outqueue_init(&scene->out, 16 * 1024 * 1024);
}

void scene_run(struct scene *scene)
{
    run_release(scene->run);
    scene->run =
        run_make(&scene->server, &scene->planned, &scene->partner, &scene->agent, "delivery", 1);
    assert_non_null(scene->run);
}

void scene_close(struct scene *scene)
{
    run_release(scene->run);
    batch_free(&scene->batch);
    outqueue_free(&scene->out);
    watch_free(scene->server.watch);
    exposure_close(scene->server.exposure);
    ledger_close(scene->server.ledger);
    nftw(scene->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void scene_restart(struct scene *scene)
{
    watch_free(scene->server.watch);
    exposure_close(scene->server.exposure);
    ledger_close(scene->server.ledger);
    open_ledger(scene);
}

static void put_value(struct buffer *row, const char *text)
{
    if (text == NULL) {
        buffer_append_u32be(row, UINT32_MAX);
        return;
    }
    buffer_append_u32be(row, (uint32_t)strlen(text));
    buffer_append_text(row, text);
}

void scene_put_row(const struct scene *scene, struct buffer *out, const char *visible,
                   const char *const *hidden)
{
    size_t hidden_count = run_hidden_columns(&scene->plan);
    buffer_append_u16be(out, (uint16_t)(1 + hidden_count));
    put_value(out, visible);
    for (size_t i = 0; i < hidden_count; i++)
        put_value(out, hidden[i]);
}

enum status scene_try_row(struct scene *scene, struct error *error, const char *visible,
                          const char *const *hidden)
{
    struct buffer row;
    buffer_init(&row, 16 * 1024 * 1024);
    scene_put_row(scene, &row, visible, hidden);
    enum status status = batch_add(&scene->batch, scene->run, buffer_slice(&row), error);
    buffer_free(&row);
    return status;
}

void scene_row(struct scene *scene, const char *visible, const char *first, const char *second)
{
    struct error error;
    const char *hidden[SCENE_MAX_HIDDEN + 1] = {first, second};
    hidden[scene->plan.hidden_count] = "t";
    assert_status(scene_try_row(scene, &error, visible, hidden), STATUS_OK);
}

void scene_no_rows(struct scene *scene, const char *first, const char *second)
{
    struct error error;
    const char *hidden[SCENE_MAX_HIDDEN + 1] = {first, second};
    hidden[scene->plan.hidden_count] = NULL;
    assert_status(scene_try_row(scene, &error, NULL, hidden), STATUS_OK);
}

enum status scene_release(struct scene *scene, enum ledger_outcome closing, struct error *error)
{
    return release_batch(&scene->batch, scene->run, closing, "\0\0\0\0\0", &scene->out, error);
}

const char *scene_sent(struct scene *scene)
{
    static char text[64 * 1024];
    struct slice bytes = outqueue_sendable(&scene->out, UINT64_MAX);
    size_t used = 0;
    text[0] = '\0';
    while (bytes.len > 0) {
        struct wire_message message;
        struct error error;
        size_t needed;
        assert_status(wire_next_message(bytes, 1 << 20, &message, &needed, &error), STATUS_OK);
        bytes = slice_of(bytes.data + message.size, bytes.len - message.size);
        struct wire_reader reader = wire_reader_of(message.body);
        if (message.type == 'N') /* a budget that is nearly used up */
            continue;
        assert_int_equal(message.type, 'D');
        assert_int_equal(wire_read_u16(&reader), 1);
        struct slice value = wire_read_bytes(&reader, wire_read_u32(&reader));
        assert_true(wire_reader_done(&reader));
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", used == 0 ? "" : " ",
                                 (int)value.len, (const char *)value.data);
    }
    return text;
}

struct telling {
    struct scene *scene;
    struct buffer *text;
    size_t count;
};

static bool tell_subject(void *context, uint32_t id)
{
    struct telling *telling = context;
    char key[256];
    uint16_t kind;
    assert_status(exposure_key(telling->scene->server.exposure, id, &kind, key), STATUS_OK);
    buffer_printf(telling->text, "%s%s", telling->count++ == 0 ? "" : " ", key);
    return true;
}

static void tell_item(struct scene *scene, const struct ledger_item *item, struct buffer *text)
{
    static const char *const grades[] = {"",          "direct", "aggregate", "witness",
                                         "influence", "probe",  "changed"};
    struct telling telling = {.scene = scene, .text = text};
    uint64_t count;
    buffer_printf(text, " %s", grades[item->grade]);
    if (item->k > 0)
        buffer_printf(text, "(%u)", item->k);
    assert_status(subject_set_count(item->subjects, &count), STATUS_OK);
    if (count > 20) {
        buffer_printf(text, "[%llu]", (unsigned long long)count);
        return;
    }
    buffer_append_text(text, "{");
    assert_status(subject_set_each(item->subjects, tell_subject, &telling), STATUS_OK);
    buffer_append_text(text, "}");
}

/* Of a disclosure. */
static void tell_disclosure(const struct ledger_entry *entry, struct buffer *text)
{
    buffer_printf(text, "%s%s %llu %s:", (entry->flags & LEDGER_FLAG_OPENING) != 0 ? "O" : "",
                  (entry->flags & LEDGER_FLAG_CLOSING) != 0 ? "C" : "-",
                  (unsigned long long)entry->row_count, ledger_outcome_name(entry->outcome));
}

/* Of a change: its first line, its rows; or what became of it. */
static void tell_change(const struct ledger_entry *entry, struct buffer *text)
{
    if (entry->type == LEDGER_CHANGE_END) {
        buffer_printf(text, "end %u %s:", entry->uuid[0], ledger_outcome_name(entry->outcome));
        return;
    }
    size_t len = 0;
    while (len < entry->text.len && entry->text.data[len] != '\n')
        len++;
    buffer_printf(text, "%u %.*s %llu:", entry->uuid[0], (int)len, (const char *)entry->text.data,
                  (unsigned long long)entry->row_count);
}

static const char *tell(struct scene *scene, bool changes)
{
    static struct buffer text;
    char folder[96];
    struct ledger_reader *reader;
    struct ledger_entry entry;
    struct slice side;
    struct error error;
    uint64_t sequence;
    snprintf(folder, sizeof folder, "%s/ledger", scene->root);
    if (scene->out.gate_count > 0)
        ledger_wait(scene->server.ledger,
                    scene->out.gates[scene->out.gate_first + scene->out.gate_count - 1].sequence);
    buffer_free(&text);
    buffer_init(&text, 1024 * 1024);
    assert_status(ledger_reader_open(folder, 0, &reader, &error), STATUS_OK);
    while (ledger_reader_next(reader, &sequence, &entry, &side, &error) == STATUS_OK) {
        if (changes ? entry.type != LEDGER_CHANGE && entry.type != LEDGER_CHANGE_END
                    : entry.type != LEDGER_DISCLOSURE)
            continue;
        if (changes)
            tell_change(&entry, &text);
        else
            tell_disclosure(&entry, &text);
        for (size_t i = 0; i < entry.item_count; i++)
            tell_item(scene, &entry.items[i], &text);
        buffer_append_text(&text, "\n");
    }
    ledger_reader_close(reader);
    const char *told = buffer_text(&text);
    return told == NULL ? "" : told;
}

const char *scene_ledger(struct scene *scene)
{
    return tell(scene, false);
}

const char *scene_changes(struct scene *scene)
{
    return tell(scene, true);
}

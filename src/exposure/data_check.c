/* See data_check.h. */
#include "exposure/data_check.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "exposure/reading.h"
#include "exposure/subject_set.h"
#include "ledger/ledger.h"

enum { NAME_BYTES = 17, FIRST_ROOM = 1024, OPEN_ARENA_BYTES = 512 * 1024 * 1024 };

/* An entry in chunks of which the last has not come yet. next 0: free. */
struct open_entry {
    uint8_t name[NAME_BYTES]; /* type; uuid, or of a policy the beginning of its id */
    uint32_t next;
};

struct checking {
    const struct data_watch *watch;
    struct names *names;
    bool dropped; /* the ledger's oldest entries were */
    struct data_report report;
    struct arena arena;
    struct open_entry *open; /* open addressing; never emptied, but for reuse by the same name */
    size_t used, room;
    uint64_t sequence;
    size_t item;
    enum status status;
    struct error *error;
};

static enum status damaged(const struct checking *checking, const char *what)
{
    return error_set(checking->error, STATUS_CORRUPT, "XX001", NULL, "entry %" PRIu64 ": %s",
                     checking->sequence, what);
}

/* ---- chunks ---- */

static void name_of(const struct ledger_entry *entry, uint8_t name[static NAME_BYTES])
{
    name[0] = (uint8_t)entry->type;
    memcpy(name + 1, entry->type == LEDGER_POLICY ? entry->policy_id : entry->uuid, NAME_BYTES - 1);
}

static struct open_entry *place_of(struct open_entry *open, size_t room,
                                   const uint8_t name[static NAME_BYTES])
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a: uuids are random, and ours */
    static const uint8_t none[NAME_BYTES];
    for (size_t i = 0; i < NAME_BYTES; i++)
        hash = (hash ^ name[i]) * 0x100000001b3;
    size_t at = (size_t)hash & (room - 1);
    while (memcmp(open[at].name, none, NAME_BYTES) != 0 &&
           memcmp(open[at].name, name, NAME_BYTES) != 0)
        at = (at + 1) & (room - 1);
    return &open[at];
}

/* Room for one more name. What is closed is left behind when the table grows. */
static bool make_room(struct checking *checking)
{
    if (2 * checking->used < checking->room)
        return true;
    size_t room = checking->room == 0 ? FIRST_ROOM : 2 * checking->room;
    struct open_entry *open = arena_array(&checking->arena, struct open_entry, room);
    if (open == NULL)
        return false;
    checking->used = 0;
    for (size_t i = 0; i < checking->room; i++)
        if (checking->open[i].next > 0) {
            *place_of(open, room, checking->open[i].name) = checking->open[i];
            checking->used++;
        }
    checking->open = open;
    checking->room = room;
    return true;
}

static bool comes_in_chunks(enum ledger_type type)
{
    return type == LEDGER_DISCLOSURE || type == LEDGER_POLICY || type == LEDGER_DECLARED ||
           type == LEDGER_DELETED || type == LEDGER_CHANGE;
}

/* The first chunks of what stands across the cut may have gone. */
static bool may_begin_within(const struct checking *checking, const struct ledger_entry *entry,
                             const struct open_entry *open)
{
    static const uint8_t none[NAME_BYTES];
    return checking->dropped && entry->type != LEDGER_POLICY &&
           memcmp(open->name, none, NAME_BYTES) == 0;
}

static enum status check_chunk(struct checking *checking, const struct ledger_entry *entry)
{
    uint8_t name[NAME_BYTES];
    bool last = entry->chunk_count != 0 && entry->chunk + 1 == entry->chunk_count;
    if (entry->chunk == 0 && (last || !comes_in_chunks(entry->type)))
        return STATUS_OK; /* whole, as nearly all are */
    if (entry->chunk_count != 0 && entry->chunk >= entry->chunk_count)
        return damaged(checking, "a chunk behind the last one");
    if (!make_room(checking))
        return error_set(checking->error, STATUS_NOMEM, "53200", NULL, "no memory for chunks");
    name_of(entry, name);
    struct open_entry *open = place_of(checking->open, checking->room, name);
    if (entry->chunk != 0 && entry->chunk != open->next && !may_begin_within(checking, entry, open))
        return damaged(checking, "a chunk whose predecessor is missing");
    checking->used += memcmp(open->name, name, NAME_BYTES) != 0;
    memcpy(open->name, name, NAME_BYTES);
    checking->report.unfinished += entry->chunk == 0 && open->next > 0;
    open->next = last ? 0 : entry->chunk + 1;
    return STATUS_OK;
}

/* ---- people ---- */

static bool check_subject(void *context, uint32_t id)
{
    struct checking *checking = context;
    enum names_state state = names_state(checking->names, id);
    checking->report.subjects++;
    checking->report.erased += state == NAMES_ERASED;
    if (state != NAMES_UNKNOWN)
        return true;
    checking->status = error_set(
        checking->error, STATUS_CORRUPT, "XX001", "Restore subjects/keys from a backup.",
        "entry %" PRIu64 ", item %zu: person %" PRIu32 " has neither a key nor the mark of an "
        "erased one",
        checking->sequence, checking->item + 1, id);
    return false;
}

static enum status check_item(struct checking *checking, const struct ledger_item *item)
{
    checking->report.items++;
    checking->status = STATUS_OK;
    if (subject_set_each(item->subjects, check_subject, checking) != STATUS_OK)
        return error_set(checking->error, STATUS_CORRUPT, "XX001", NULL,
                         "entry %" PRIu64 ", item %zu: the set of people is malformed",
                         checking->sequence, checking->item + 1);
    return checking->status;
}

static enum status check_entry(struct checking *checking, const struct ledger_entry *entry,
                               struct slice side)
{
    checking->report.entries++;
    checking->report.sections += side.len > 0;
    TRY(names_take(checking->names, checking->sequence, side, checking->error));
    TRY(check_chunk(checking, entry));
    for (checking->item = 0; checking->item < entry->item_count; checking->item++)
        TRY(check_item(checking, &entry->items[checking->item]));
    if (checking->watch == NULL)
        return STATUS_OK;
    return checking->watch->entry(checking->watch->context, entry, checking->error);
}

static enum status check_all(struct checking *checking, const char *folder)
{
    struct ledger_reader *reader = NULL;
    struct ledger_entry entry;
    struct slice side;
    enum status status;
    struct ledger_dropped dropped;
    TRY(ledger_reader_open(folder, 0, &reader, checking->error));
    checking->dropped = ledger_reader_dropped(reader, &dropped);
    status = STATUS_OK;
    while (status == STATUS_OK) {
        status = ledger_reader_next(reader, &checking->sequence, &entry, &side, checking->error);
        if (status == STATUS_OK)
            status = check_entry(checking, &entry, side);
    }
    ledger_reader_close(reader);
    return status == STATUS_AGAIN ? STATUS_OK : status;
}

enum status data_check(const char *ledger_folder, const char *subjects_folder,
                       const struct data_watch *watch, struct data_report *report,
                       uint64_t *sequence, struct error *error)
{
    struct checking checking = {.watch = watch, .error = error};
    TRY(names_open(subjects_folder, &checking.names, error));
    arena_init(&checking.arena, OPEN_ARENA_BYTES);
    enum status status = check_all(&checking, ledger_folder);
    for (size_t i = 0; i < checking.room; i++)
        checking.report.unfinished += checking.open[i].next > 0;
    if (status == STATUS_OK)
        *report = checking.report;
    else
        *sequence = checking.sequence;
    arena_free(&checking.arena);
    names_close(checking.names);
    return status;
}

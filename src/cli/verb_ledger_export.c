/* cofferdam ledger export: the ledger as a table, for people's own analysis. Reads the files, not
 * the gateway, from the first entry on, so that what it writes has been held against the tree. */
#include "cli/export_line.h"
#include "cli/log_folder.h"
#include "cli/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "exposure/reading.h"
#include "exposure/subject_set.h"

enum { SETS_BYTES = 256 * 1024 * 1024, KINDS_BYTES = 64 * 1024, FLUSH_BYTES = 256 * 1024 };

static const struct cli_option options[] = {
    {"format", 'F', "csv|jsonl", "CSV (RFC 4180, the default) or a JSON object a line"},
    {"from", 0, "SEQUENCE|TIME", "from this entry or instant on"},
    {"to", 0, "SEQUENCE|TIME", "before this entry or instant"},
    {"partner", 'p', "PARTNER", "entries of this partner only"},
    {"subjects", 0, NULL, "a line a person, with the key, instead of how many"},
    {"exact", 0, NULL, "CSV: do not disarm what a spreadsheet takes for a formula"},
    {"output", 'o', "FILE", "write to this new file, for its owner only, instead"},
    {NULL, 0, NULL, NULL},
};

/* One end of the range: a sequence, or an instant. */
struct bound {
    bool is_set, is_time;
    uint64_t sequence;
    int64_t time_ns;
};

struct exporting {
    struct export_format format;
    struct bound from, to;
    const char *partner;
    struct names *names; /* NULL unless subjects are named */
    struct arena arena;  /* texts of column sets, names of kinds */
    const char **sets;   /* sets[id - 1] */
    size_t set_count, set_room;
    const char **kinds;
    size_t kind_count;
    struct buffer out;
    int fd;
    uint64_t lines;
    struct error *error;
};

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "no memory for an export");
}

/* ---- what is asked ---- */

static enum status read_bound(struct cli_call *call, const char *option, struct bound *bound,
                              struct error *error)
{
    const char *text = cli_value(call, option);
    if (text == NULL)
        return STATUS_OK;
    bound->is_set = true;
    bound->is_time = strspn(text, "0123456789") != strlen(text) || *text == '\0';
    if (!bound->is_time)
        return cli_number(call, option, 0, UINT64_MAX, 0, &bound->sequence, error);
    if (clock_parse(text, &bound->time_ns, NULL) != STATUS_OK)
        return cli_usage(call, error, "--%s takes a sequence, a date or an instant, not \"%s\"",
                         option, text);
    return STATUS_OK;
}

static enum status read_options(struct cli_call *call, struct exporting *exporting,
                                struct error *error)
{
    const char *format = cli_value(call, "format");
    if (format != NULL && strcmp(format, "csv") != 0 && strcmp(format, "jsonl") != 0)
        return cli_usage(call, error, "--format is csv or jsonl, not \"%s\"", format);
    exporting->format.json = format != NULL && strcmp(format, "jsonl") == 0;
    exporting->format.subjects = cli_value(call, "subjects") != NULL;
    exporting->format.exact = cli_value(call, "exact") != NULL;
    exporting->partner = cli_value(call, "partner");
    TRY(read_bound(call, "from", &exporting->from, error));
    return read_bound(call, "to", &exporting->to, error);
}

static bool is_before(const struct bound *bound, uint64_t sequence, int64_t time_ns)
{
    return bound->is_time ? time_ns < bound->time_ns : sequence < bound->sequence;
}

static bool is_asked(const struct exporting *exporting, uint64_t sequence,
                     const struct ledger_entry *entry)
{
    if (exporting->from.is_set && is_before(&exporting->from, sequence, entry->time_ns))
        return false;
    if (exporting->to.is_set && !is_before(&exporting->to, sequence, entry->time_ns))
        return false;
    return exporting->partner == NULL ||
           slice_equal(entry->partner, slice_of_text(exporting->partner));
}

/* ---- writing ---- */

static enum status flush(struct exporting *exporting)
{
    size_t at = 0;
    while (at < exporting->out.len) {
        ssize_t put = write(exporting->fd, exporting->out.data + at, exporting->out.len - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return error_set_errno(exporting->error, errno, "writing the export");
        at += (size_t)put;
    }
    buffer_clear(&exporting->out);
    return STATUS_OK;
}

static enum status put_line(struct exporting *exporting, const struct export_line *line)
{
    export_append(&exporting->format, line, &exporting->out);
    if (exporting->out.overflowed)
        return no_memory(exporting->error);
    exporting->lines++;
    return exporting->out.len < FLUSH_BYTES ? STATUS_OK : flush(exporting);
}

/* ---- entries ---- */

static const char *set_text(const struct exporting *exporting, uint32_t id)
{
    return id >= 1 && id <= exporting->set_count ? exporting->sets[id - 1] : NULL;
}

static enum status keep_set(struct exporting *exporting, const struct ledger_entry *entry)
{
    if (exporting->set_count == exporting->set_room) {
        size_t room = exporting->set_room == 0 ? 64 : 2 * exporting->set_room;
        const char **sets = arena_array(&exporting->arena, const char *, room);
        if (sets == NULL)
            return no_memory(exporting->error);
        if (exporting->set_count > 0)
            memcpy(sets, exporting->sets, exporting->set_count * sizeof *sets);
        exporting->sets = sets;
        exporting->set_room = room;
    }
    const char *text =
        arena_copy(&exporting->arena, (const char *)entry->text.data, entry->text.len);
    if (text == NULL)
        return no_memory(exporting->error);
    exporting->sets[exporting->set_count++] = text;
    return STATUS_OK;
}

/* A line for each person of an item. */
struct naming {
    struct exporting *exporting;
    struct export_line line;
    enum status status;
};

static bool name_subject(void *context, uint32_t id)
{
    struct naming *naming = context;
    char key[256];
    uint16_t kind;
    enum status found = names_key(naming->exporting->names, id, &kind, key);
    naming->line.subject = id;
    naming->line.key = found == STATUS_OK ? key : NULL;
    naming->status = put_line(naming->exporting, &naming->line);
    return naming->status == STATUS_OK;
}

static enum status put_item(struct exporting *exporting, struct export_line *line)
{
    const struct ledger_item *item = line->item;
    struct naming naming = {.exporting = exporting};
    if (subject_set_count(item->subjects, &line->subjects) != STATUS_OK)
        return error_set(exporting->error, STATUS_CORRUPT, "XX001", NULL,
                         "entry %" PRIu64 ", item %zu: the set of subjects is malformed",
                         line->sequence, line->item_index + 1);
    line->columns = set_text(exporting, item->column_set);
    line->kind_name = item->kind < exporting->kind_count ? exporting->kinds[item->kind] : NULL;
    if (!exporting->format.subjects || line->subjects == 0)
        return put_line(exporting, line);
    naming.line = *line;
    enum status status = subject_set_each(item->subjects, name_subject, &naming);
    return status == STATUS_OK ? naming.status : status;
}

static enum status put_entry(struct exporting *exporting, uint64_t sequence,
                             const struct ledger_entry *entry)
{
    struct export_line line = {
        .sequence = sequence, .entry = entry, .read = set_text(exporting, entry->column_set)};
    if (entry->item_count == 0)
        return put_line(exporting, &line);
    for (size_t i = 0; i < entry->item_count; i++) {
        line.item = &entry->items[i];
        line.item_index = i;
        TRY(put_item(exporting, &line));
    }
    return STATUS_OK;
}

static void tell_dropped(const struct ledger_reader *reader)
{
    struct ledger_dropped dropped;
    char first[21], last[21];
    if (!ledger_reader_dropped(reader, &dropped))
        return;
    clock_format_utc(dropped.first_ns, first);
    clock_format_utc(dropped.last_ns, last);
    fprintf(stderr,
            "not in the table: %" PRIu64 " entries below %" PRIu64
            ", from %s to %s, were dropped from the ledger (%s)\n",
            dropped.entries, dropped.below, first, last, dropped.reason);
}

/* From the first entry on also where a later one is asked for: that is what holds all of it against
 * the tree, and what knows the column sets and the people. */
static enum status read_all(struct exporting *exporting, const char *folder)
{
    struct ledger_reader *reader = NULL;
    struct ledger_entry entry;
    struct slice side;
    uint64_t sequence;
    enum status status;
    TRY(ledger_reader_open(folder, 0, &reader, exporting->error));
    tell_dropped(reader);
    while ((status = ledger_reader_next(reader, &sequence, &entry, &side, exporting->error)) ==
           STATUS_OK) {
        if (entry.type == LEDGER_COLUMN_SET)
            status = keep_set(exporting, &entry);
        if (status == STATUS_OK && exporting->names != NULL)
            status = names_take(exporting->names, sequence, side, exporting->error);
        if (status == STATUS_OK && is_asked(exporting, sequence, &entry))
            status = put_entry(exporting, sequence, &entry);
        if (status != STATUS_OK)
            break;
    }
    ledger_reader_close(reader);
    return status == STATUS_AGAIN ? flush(exporting) : status;
}

/* ---- opening ---- */

/* Names of the kinds, from the file beside the ledger; without it they are numbers. */
static enum status read_kinds(struct exporting *exporting, const char *folder)
{
    char path[CLI_PATH_ROOM + 16];
    struct buffer text;
    buffer_init(&text, KINDS_BYTES);
    snprintf(path, sizeof path, "%s/../kinds", folder);
    exporting->kinds = arena_array(&exporting->arena, const char *, KINDS_BYTES / 2);
    if (file_read(path, &text, NULL) == STATUS_OK && exporting->kinds != NULL) {
        const char *line = (const char *)text.data;
        const char *end;
        for (size_t left = text.len; left > 0 && (end = memchr(line, '\n', left)) != NULL;) {
            size_t len = (size_t)(end - line);
            exporting->kinds[exporting->kind_count++] = arena_copy(&exporting->arena, line, len);
            left -= len + 1;
            line = end + 1;
        }
    }
    buffer_free(&text);
    return exporting->arena.overflowed ? no_memory(exporting->error) : STATUS_OK;
}

static enum status export_to(struct exporting *exporting, int fd, const char *folder,
                             const char *subjects)
{
    exporting->fd = fd;
    TRY(read_kinds(exporting, folder));
    if (exporting->format.subjects)
        TRY(names_open(subjects, &exporting->names, exporting->error));
    export_head(&exporting->format, &exporting->out);
    return read_all(exporting, folder);
}

/* Under another name until it is whole: what stands under FILE has been verified to its end. */
static enum status export_to_file(struct exporting *exporting, const char *path, const char *folder,
                                  const char *subjects)
{
    char partial[CLI_PATH_ROOM];
    struct error *error = exporting->error;
    if (snprintf(partial, sizeof partial, "%s.partial", path) >= (int)sizeof partial)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "the file's name is too long");
    if (file_exists(path))
        return error_set(error, STATUS_INVALID, "58P02", "Name a new file.", "%s: exists", path);
    int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "%s", partial);
    enum status status = export_to(exporting, fd, folder, subjects);
    if (status == STATUS_OK && (fsync(fd) != 0 || rename(partial, path) != 0))
        status = error_set_errno(error, errno, "%s", path);
    if (status != STATUS_OK)
        unlink(partial);
    close(fd);
    return status;
}

static enum status run(struct cli_call *call, struct error *error)
{
    char folder[CLI_PATH_ROOM], subjects[CLI_PATH_ROOM];
    struct exporting exporting = {.error = error};
    const char *output = cli_value(call, "output");
    TRY(read_options(call, &exporting, error));
    TRY(cli_log_folder(call, call->argument_count == 1 ? call->arguments[0] : NULL, folder,
                       subjects, error));
    arena_init(&exporting.arena, SETS_BYTES);
    buffer_init(&exporting.out, EXPORT_LINE_BYTES);
    fflush(stdout);
    enum status status = output == NULL ? export_to(&exporting, STDOUT_FILENO, folder, subjects)
                                        : export_to_file(&exporting, output, folder, subjects);
    if (status == STATUS_OK && output != NULL)
        fprintf(stderr, "%s: %" PRIu64 " lines\n", output, exporting.lines);
    names_close(exporting.names);
    buffer_free(&exporting.out);
    arena_free(&exporting.arena);
    return status;
}

const struct cli_command verb_ledger_export = {
    .arguments = "[FOLDER]",
    .most = 1,
    .takes = CLI_TAKES_CONFIG,
    .options = options,
    .description =
        "Writes the ledger as a table: a line for each item of an entry (people of one kind, in "
        "one\n"
        "grade, with the same columns), or one for an entry without items; with --subjects a line\n"
        "for each person, with the key, which needs the folder of keys. Reads the files of "
        "FOLDER,\n"
        "or the configuration's, beside a running gateway too, and holds all of them against the\n"
        "tree. In CSV a cell that a spreadsheet would take for a formula (= + - @) begins with an\n"
        "apostrophe; --exact leaves it as it is.",
    .examples = "ledger export --from 2026-11-01 --to 2026-12-01 -o november.csv\n"
                "ledger export --partner ringway --format jsonl | jq .columns\n"
                "ledger export --subjects --partner ringway -o people.csv\n",
    .exits = "the ledger is damaged or could not be read; nothing stands under FILE then",
    .run = run,
};

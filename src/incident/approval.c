/* See approval.h. A kept dry run is a text of lines; two are compared as sets of lines. */
#include "incident/approval.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"

enum {
    HASH_CHARS = 64,
    KEPT_BYTES = 16 << 20,
    SAMPLE_BYTES = 4 << 20,
    CHANGES_BYTES = 300,
    PATH_ROOM = 8192,
    KEPT_MODE = 0600,
};

static enum status kept_path(struct casework *casework, const struct scope *scope, const char *hash,
                             struct arena *arena, const char **path, struct error *error)
{
    char name[HASH_CHARS + 32];
    snprintf(name, sizeof name, "dry-run-%.*s.txt", HASH_CHARS, hash);
    return incidents_path(casework->incidents, scope->incident.number, name, arena, path, error);
}

/* ---- what a dry run is, in lines ---- */

/* Each line of a text, with something before it. */
static void write_lines(struct buffer *out, const char *before, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        if (len > 0)
            buffer_printf(out, "%s: %.*s\n", before, (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static enum status write_variant(const struct notice *notice, size_t at, struct buffer *out,
                                 struct error *error)
{
    const struct notice_variant *variants;
    struct mail_message message;
    struct arena arena;
    char name[200];
    notice_variants(notice, &variants);
    const struct notice_variant *variant = &variants[at];
    snprintf(name, sizeof name, "%s/%s/%s", variant->kind, variant->brand, variant->language);
    buffer_printf(out, "%s: %" PRIu64 " people, from %s <%s>\n", name, variant->people,
                  variant->sender_name, variant->sender);
    arena_init(&arena, SAMPLE_BYTES);
    enum status status = notice_render_sample(notice, at, NOTICE_SAMPLE_FULL, "name@mail.example",
                                              0, &arena, &message, error);
    if (status == STATUS_OK) {
        buffer_printf(out, "%s: subject: %s\n", name, message.subject);
        write_lines(out, name, message.text);
    }
    arena_free(&arena);
    return status;
}

static enum status describe(const struct scope *scope, const struct notice *notice,
                            struct buffer *out, struct error *error)
{
    const struct notice_variant *variants;
    const struct outbox_person *people;
    size_t count = notice_variants(notice, &variants);
    buffer_printf(out, "phase %" PRId64 ", scope %s\n%zu people\n", scope->phase.number,
                  scope->sha256, notice_people(notice, &people));
    write_lines(out, "fact", notice_settings(notice));
    for (size_t i = 0; i < count; i++)
        TRY(write_variant(notice, i, out, error));
    if (out->overflowed)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "the dry run is too long to be kept");
    return STATUS_OK;
}

enum status approval_keep(struct casework *casework, const struct scope *scope,
                          const struct notice *notice, struct error *error)
{
    struct buffer text;
    struct arena arena;
    const char *path;
    buffer_init(&text, KEPT_BYTES);
    arena_init(&arena, PATH_ROOM);
    enum status status = kept_path(casework, scope, notice_hash(notice), &arena, &path, error);
    if (status == STATUS_OK)
        status = describe(scope, notice, &text, error);
    if (status == STATUS_OK)
        status = file_replace(path, buffer_slice(&text), KEPT_MODE, error);
    if (status == STATUS_OK)
        status = file_inherit_owner(path, error);
    arena_free(&arena);
    buffer_free(&text);
    return status;
}

/* ---- what has changed ---- */

static bool has_line(const char *text, const char *line, size_t len)
{
    for (const char *at = text; *at != '\0';) {
        size_t here = strcspn(at, "\n");
        if (here == len && memcmp(at, line, len) == 0)
            return true;
        at += here + (at[here] == '\n');
    }
    return false;
}

/* The first lines of one text that the other has not, as far as they fit. */
static void tell_missing(struct buffer *out, const char *sign, const char *from, const char *in)
{
    for (const char *at = from; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        if (!has_line(in, at, len) && out->len + len + 4 < CHANGES_BYTES)
            buffer_printf(out, "%s %.*s; ", sign, (int)len, at);
        at += len + (at[len] == '\n');
    }
}

static enum status tell_changes(const char *path, const struct scope *scope,
                                const struct notice *notice, struct buffer *changes,
                                struct error *error)
{
    struct buffer before, now;
    buffer_init(&before, KEPT_BYTES);
    buffer_init(&now, KEPT_BYTES);
    enum status status = file_read(path, &before, error);
    if (status == STATUS_OK)
        status = describe(scope, notice, &now, error);
    const char *old = buffer_text(&before), *new = buffer_text(&now);
    if (status == STATUS_OK && old != NULL && new != NULL) {
        tell_missing(changes, "then", old, new);
        tell_missing(changes, "now", new, old);
    }
    buffer_free(&before);
    buffer_free(&now);
    return status;
}

static bool is_hash(const char *hash)
{
    size_t len = strspn(hash, "0123456789abcdef");
    return len == HASH_CHARS && hash[len] == '\0';
}

static enum status refuse_hash(struct casework *casework, const struct scope *scope,
                               const struct notice *notice, const char *hash, struct error *error)
{
    struct buffer changes;
    struct arena arena;
    const char *path;
    struct error unseen;
    if (!is_hash(hash))
        return error_set(error, STATUS_DENIED, "55000", "take the hash that --dry-run prints",
                         "what is approved is a hash of 64 characters");
    buffer_init(&changes, 2 * CHANGES_BYTES);
    arena_init(&arena, PATH_ROOM);
    enum status status = kept_path(casework, scope, hash, &arena, &path, error);
    if (status == STATUS_OK)
        status = tell_changes(path, scope, notice, &changes, &unseen);
    if (status == STATUS_OK && changes.len > 0)
        error_set(error, STATUS_DENIED, "55000", "look at it again with --dry-run",
                  "the notice is not what was approved: %s", buffer_text(&changes));
    else if (status == STATUS_OK)
        error_set(error, STATUS_DENIED, "55000", "look at it again with --dry-run",
                  "the notice is not what was approved: who gets which message has changed");
    else
        error_set(error, STATUS_DENIED, "55000", "take the hash that --dry-run prints",
                  "no dry run of this incident had that hash");
    arena_free(&arena);
    buffer_free(&changes);
    return STATUS_DENIED;
}

enum status approval_check(struct casework *casework, const struct scope *scope,
                           const struct notice *notice, const struct incident_notice *approved,
                           struct error *error)
{
    if (strcmp(notice_hash(notice), approved->hash) == 0)
        return STATUS_OK;
    enum status status = refuse_hash(casework, scope, notice, approved->hash, error);
    if (error != NULL)
        snprintf(error->hint, sizeof error->hint,
                 "put the templates, words and policy of that day back (dry-run-%.8s….txt in the "
                 "case's folder has the texts), or make a new phase and approve a notice for it",
                 approved->hash);
    return status;
}

/* ---- approving ---- */

static enum status check_earlier(struct casework *casework, const struct scope *scope,
                                 struct arena *arena, struct error *error)
{
    struct incident_notice earlier;
    enum status status =
        incidents_get_notice(casework->incidents, scope->incident.number, 0, arena, &earlier, NULL);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return error_set(error, status, "58030", NULL, "the incident's notices cannot be read");
    if (earlier.phase == scope->phase.number)
        return error_set(error, STATUS_DENIED, "55000",
                         "go on with --resume; a new phase of the scope can have a new notice",
                         "notice %" PRId64 " of phase %" PRId64 " has been approved already",
                         earlier.number, earlier.phase);
    if (earlier.finished_ns == INT64_MIN)
        return error_set(error, STATUS_DENIED, "55000", "finish it with --resume",
                         "notice %" PRId64 " has not been sent to everybody yet", earlier.number);
    return STATUS_OK;
}

static enum status record(struct casework *casework, const struct scope *scope,
                          const struct notice *notice, const char *why, struct error *error)
{
    const struct outbox_person *people;
    char step[64], reason[1200];
    struct incident_notice approved = {
        .number = notice_number(notice),
        .hash = notice_hash(notice),
        .approved_by = casework->by,
        .approved_ns = clock_now_ns(),
        .finished_ns = INT64_MIN,
        .phase = scope->phase.number,
        .settings = notice_settings(notice),
    };
    snprintf(step, sizeof step, "approve notice %" PRId64, notice_number(notice));
    snprintf(reason, sizeof reason, "hash %s, %zu people%s%.900s", approved.hash,
             notice_people(notice, &people), why != NULL ? ": " : "", why != NULL ? why : "");
    TRY(casework_decide(casework, scope->incident.number, scope->incident.partner, step, reason,
                        error));
    return incidents_add_notice(casework->incidents, scope->incident.number, &approved, error);
}

enum status approval_give(struct casework *casework, const struct scope *scope,
                          const struct notice *notice, const char *hash, const char *why,
                          struct error *error)
{
    struct arena arena;
    arena_init(&arena, KEPT_BYTES);
    enum status status = check_earlier(casework, scope, &arena, error);
    arena_free(&arena);
    TRY(status);
    if (strcmp(hash, notice_hash(notice)) != 0)
        return refuse_hash(casework, scope, notice, hash, error);
    return record(casework, scope, notice, why, error);
}

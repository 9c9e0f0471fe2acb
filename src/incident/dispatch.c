/* See dispatch.h. Letters are read in batches; nothing of a person outlives its line. */
#include "incident/dispatch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "crypto/crypto.h"
#include "incident/approval.h"
#include "incident/scope_csv.h"
#include "incident/standing.h"

enum {
    BATCH = 500,
    KEY_BYTES = 256,
    TEXT_BYTES = 4 << 20,
    LETTERS_MODE = 0600,
    FILE_BYTES = 1 << 30
};

/* ---- proof ---- */

struct proof {
    const struct scope *scope;
    const struct notice_variant *variants;
    size_t variant_count;
    FILE *out;
};

static void instant(FILE *out, int64_t time_ns)
{
    char text[21] = "";
    if (time_ns != INT64_MIN)
        clock_format_utc(time_ns, text);
    scope_csv_cell(out, text, false);
}

static enum status write_proof(void *context, const struct outbox_proof *proof, struct error *error)
{
    struct proof *about = context;
    char key[KEY_BYTES] = "", variant[200] = "", attempts[16], digest[65] = "";
    (void)error;
    if (scope_key(about->scope, proof->id, key) != STATUS_OK)
        key[0] = '\0';
    if (proof->variant < about->variant_count) {
        const struct notice_variant *found = &about->variants[proof->variant];
        snprintf(variant, sizeof variant, "%s/%s/%s", found->kind, found->brand, found->language);
    }
    if (proof->rendered != NULL)
        crypto_hex(proof->rendered, CRYPTO_SHA256_BYTES, digest);
    snprintf(attempts, sizeof attempts, "%" PRIu32, proof->attempts);
    scope_csv_cell(about->out, scope_kind(about->scope, proof->kind), false);
    scope_csv_cell(about->out, key, false);
    scope_csv_cell(about->out, variant, false);
    scope_csv_cell(about->out, outbox_state_name(proof->state), false);
    scope_csv_cell(about->out, attempts, false);
    instant(about->out, proof->begun_ns);
    instant(about->out, proof->settled_ns);
    scope_csv_cell(about->out, digest, false);
    scope_csv_cell(about->out, proof->envelope_id, false);
    scope_csv_cell(about->out, proof->reply, false);
    scope_csv_cell(about->out, proof->report, true);
    return STATUS_OK;
}

enum status dispatch_write_proof(const struct scope *scope, const struct notice *notice,
                                 struct outbox *outbox, int64_t number, FILE *out,
                                 struct error *error)
{
    struct proof about = {.scope = scope, .out = out};
    about.variant_count = notice_variants(notice, &about.variants);
    fprintf(out, "kind,key,text,state,attempts,begun,settled,sha256,envelope_id,answer,notice\r\n");
    TRY(outbox_each(outbox, number, write_proof, &about, error));
    if (fflush(out) != 0 || ferror(out))
        return error_set_errno(error, errno, "the proof of dispatch");
    return STATUS_OK;
}

/* ---- letters ---- */

struct letters {
    struct casework *casework;
    const struct scope *scope; /* of the notice whose letters are written now */
    const struct notice *notice;
    struct standing *standing;
    struct contact_reader *reader;
    struct outbox *outbox;
    struct admin_client *admin;
    FILE *out;
    struct arena arena; /* of one letter */
    struct dispatch_letters counts;
    size_t *people; /* indices in the scope, ascending */
    size_t count, capacity;
    /* ---- the batch ---- */
    char (*keys)[KEY_BYTES];
    const char *key_list[BATCH];
    uint32_t ids[BATCH];
    size_t places[BATCH]; /* in the scope */
    size_t key_count, found;
};

static enum status note_person(void *context, const struct outbox_proof *proof, struct error *error)
{
    struct letters *letters = context;
    const struct scope *scope = letters->scope;
    if ((proof->state != OUTBOX_LETTER && proof->state != OUTBOX_REFUSED &&
         proof->state != OUTBOX_BOUNCED) ||
        !standing_is_newest(letters->standing, notice_number(letters->notice), proof->id))
        return STATUS_OK;
    if (letters->count == letters->capacity) {
        size_t capacity = letters->capacity == 0 ? BATCH : 2 * letters->capacity;
        size_t *grown = realloc(letters->people, capacity * sizeof *grown);
        if (grown == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
        letters->people = grown;
        letters->capacity = capacity;
    }
    for (size_t low = 0, high = scope->person_count; low < high;) {
        size_t middle = (low + high) / 2;
        const struct scope_person *person = &scope->people[middle];
        if (person->kind == proof->kind && person->id == proof->id) {
            letters->people[letters->count++] = middle;
            return STATUS_OK;
        }
        if (person->kind < proof->kind || (person->kind == proof->kind && person->id < proof->id))
            low = middle + 1;
        else
            high = middle;
    }
    return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                     "the outbox names a person who is not in the scope");
}

static enum status write_letter(void *context, const struct contact_person *contact,
                                struct error *error)
{
    struct letters *letters = context;
    size_t person = letters->places[contact->at];
    const char *text;
    letters->found++;
    if (contact->post_count == 0 || contact->gone_away || contact->safe_contact ||
        contact->deceased) {
        letters->counts.without++;
        if (contact->deceased)
            return STATUS_OK;
        return outbox_make_public(letters->outbox, notice_number(letters->notice),
                                  letters->ids[contact->at], "no usable postal address",
                                  clock_now_ns(), error);
    }
    arena_reset(&letters->arena);
    TRY(notice_render_letter(letters->notice, person, contact, clock_now_ns(), &letters->arena,
                             &text, error));
    bool is_child = (letters->scope->people[person].flags & SCOPE_CHILD) != 0;
    scope_csv_cell(letters->out, is_child ? "yes" : "no", false);
    scope_csv_cell(letters->out, contact->name, false);
    for (size_t i = 0; i < CONTACT_POST_LINES; i++)
        scope_csv_cell(letters->out, i < contact->post_count ? contact->post[i] : NULL, false);
    scope_csv_cell(letters->out, contact->country, false);
    scope_csv_cell(letters->out, contact->language, false);
    scope_csv_cell(letters->out, text, true);
    letters->counts.printed++;
    return STATUS_OK;
}

/* The next people of one kind who still have a key. */
static void gather(struct letters *letters, size_t *next)
{
    const struct scope *scope = letters->scope;
    uint16_t kind = scope->people[letters->people[*next]].kind;
    letters->key_count = letters->found = 0;
    for (; *next < letters->count && letters->key_count < BATCH; ++*next) {
        size_t person = letters->people[*next], at = letters->key_count;
        if (scope->people[person].kind != kind)
            return;
        if (scope_key(scope, scope->people[person].id, letters->keys[at]) != STATUS_OK) {
            letters->counts.gone++;
            continue;
        }
        letters->key_list[at] = letters->keys[at];
        letters->ids[at] = scope->people[person].id;
        letters->places[at] = person;
        letters->key_count++;
    }
}

static int by_place(const void *a, const void *b)
{
    const size_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* People stand in the scope by kind, then id: batches are of one kind, with ascending ids. */
static enum status write_all(struct letters *letters, struct error *error)
{
    char purpose[64];
    snprintf(purpose, sizeof purpose, "incident %" PRId64 " letters",
             letters->scope->incident.number);
    qsort(letters->people, letters->count, sizeof *letters->people, by_place);
    for (size_t next = 0; next < letters->count;) {
        uint16_t kind = letters->scope->people[letters->people[next]].kind;
        gather(letters, &next);
        if (letters->key_count == 0)
            continue;
        TRY(admin_client_record_read(letters->admin, scope_kind(letters->scope, kind),
                                     contact_columns(letters->reader, kind, false), purpose,
                                     letters->ids, letters->key_count, error));
        TRY(contact_read(letters->reader, kind, letters->key_list, letters->key_count, write_letter,
                         letters, error));
        letters->counts.gone += letters->key_count - letters->found;
    }
    return STATUS_OK;
}

static enum status write_notice(struct letters *letters, struct outbox *outbox,
                                const struct scope *scope, const struct notice *notice,
                                struct error *error)
{
    letters->scope = scope;
    letters->notice = notice;
    letters->count = 0;
    TRY(outbox_each(outbox, notice_number(notice), note_person, letters, error));
    return write_all(letters, error);
}

/* The letters of people whom no later notice has. */
static enum status write_earlier(struct letters *letters, struct outbox *outbox, int64_t number,
                                 struct error *error)
{
    struct casework *casework = letters->casework;
    struct incident_notice approved;
    struct scope *scope = NULL;
    struct notice *notice = NULL;
    struct arena arena;
    int64_t incident = letters->scope->incident.number;
    arena_init(&arena, TEXT_BYTES);
    enum status status =
        incidents_get_notice(casework->incidents, incident, number, &arena, &approved, error);
    if (status == STATUS_OK)
        status = scope_open(casework, incident, approved.phase, &scope, error);
    if (status == STATUS_OK)
        status = notice_open(casework, scope, SCOPE_GRADES_NOTIFIED, &notice, error);
    if (status == STATUS_OK)
        status = approval_check(casework, scope, notice, &approved, error);
    if (status == STATUS_OK) {
        const struct scope *newest_scope = letters->scope;
        const struct notice *newest_notice = letters->notice;
        status = write_notice(letters, outbox, scope, notice, error);
        letters->scope = newest_scope;
        letters->notice = newest_notice;
    }
    notice_close(notice);
    scope_close(scope);
    arena_free(&arena);
    return status;
}

static enum status write_file(struct letters *letters, struct outbox *outbox, const char *path,
                              struct error *error)
{
    int64_t newest = notice_number(letters->notice);
    struct casework *casework = letters->casework;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, LETTERS_MODE);
    letters->out = fd < 0 ? NULL : fdopen(fd, "w");
    if (letters->out == NULL)
        return error_set_errno(error, errno, "%s", path);
    fprintf(letters->out,
            "guardian,name,line1,line2,line3,line4,line5,line6,line7,line8,country,language,"
            "text\r\n");
    TRY(casework_admin(casework, &letters->admin, error));
    TRY(contact_open(casework->config, casework->policy, &letters->reader, error));
    TRY(standing_open(outbox, newest, &letters->standing, error));
    TRY(write_notice(letters, outbox, letters->scope, letters->notice, error));
    for (int64_t number = newest - 1; number > 0; number--)
        TRY(write_earlier(letters, outbox, number, error));
    if (fflush(letters->out) != 0 || ferror(letters->out) || fsync(fileno(letters->out)) != 0)
        return error_set_errno(error, errno, "%s", path);
    return STATUS_OK;
}

/* That the file was made, and which one it was. */
static enum status record(const struct letters *letters, const char *path, struct error *error)
{
    struct buffer file;
    char why[200], hex[65];
    uint8_t digest[CRYPTO_SHA256_BYTES];
    buffer_init(&file, FILE_BYTES);
    enum status status = file_read(path, &file, error);
    if (status == STATUS_OK) {
        struct slice bytes = buffer_slice(&file);
        crypto_sha256(&bytes, 1, digest);
        crypto_hex(digest, sizeof digest, hex);
        snprintf(why, sizeof why,
                 "%" PRIu64 " letters, %" PRIu64
                 " people without a usable postal address; sha256 %s",
                 letters->counts.printed, letters->counts.without, hex);
        status = casework_decide(letters->casework, letters->scope->incident.number,
                                 letters->scope->incident.partner, "write letters for print", why,
                                 error);
    }
    buffer_free(&file);
    return status;
}

enum status dispatch_write_letters(struct casework *casework, const struct scope *scope,
                                   const struct notice *notice, struct outbox *outbox,
                                   const char *path, struct dispatch_letters *letters,
                                   struct error *error)
{
    struct letters made = {
        .casework = casework, .scope = scope, .notice = notice, .outbox = outbox};
    arena_init(&made.arena, TEXT_BYTES);
    made.keys = calloc(BATCH, sizeof *made.keys);
    enum status status = STATUS_NOMEM;
    if (made.keys != NULL)
        status = write_file(&made, outbox, path, error);
    else
        error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (made.out != NULL && fclose(made.out) != 0 && status == STATUS_OK)
        status = error_set_errno(error, errno, "%s", path);
    if (status == STATUS_OK)
        status = record(&made, path, error);
    if (status != STATUS_OK && made.out != NULL)
        unlink(path); /* addresses that no decision tells of */
    contact_close(made.reader);
    standing_close(made.standing);
    arena_free(&made.arena);
    free(made.keys);
    free(made.people);
    if (status == STATUS_OK)
        *letters = made.counts;
    return status;
}

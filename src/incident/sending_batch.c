/* One batch of a run: from the outbox to the mail server and back. Invariants: no contact row is
 * read before the ledger has it; a person's row lives for one call; whoever was offered is settled,
 * begun or returned when the batch ends. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "incident/sending_private.h"

enum {
    KEY_BYTES = 256,
    BATCH_BYTES = 64 << 20,
    TEXT_BYTES = 4 << 20,
    MOST_ATTEMPTS = 8,
    MOST_REFUSED = 50,    /* in a row: then it is about us, and nobody more is written off */
    BATCHES_A_MINUTE = 6, /* at least, so that a pause is soon seen */
};
static const int64_t SECOND_NS = INT64_C(1000000000), MINUTE_NS = INT64_C(60000000000);

/* A message, rendered. */
struct job {
    size_t turn;
    size_t start, len; /* in bytes */
    char to[256], from[320];
    uint8_t digest[CRYPTO_SHA256_BYTES];
};

struct sending_batch {
    struct sending *sending;
    struct outbox_turn turns[SENDING_BATCH];
    bool settled[SENDING_BATCH]; /* needs no return */
    size_t count;
    struct job jobs[SENDING_BATCH];
    size_t job_count;
    bool offers_dsn; /* the server that they are begun with */
    bool is_cut;     /* one needs no sending any more: the others are offered again */
    struct buffer bytes;
    struct arena arena; /* of one message */
    /* ---- of one kind, while it is read ---- */
    char keys[SENDING_BATCH][KEY_BYTES];
    const char *key_list[SENDING_BATCH];
    uint32_t ids[SENDING_BATCH];
    size_t places[SENDING_BATCH]; /* in turns */
    size_t key_count;
};

enum status sending_batch_open(struct sending *sending, struct sending_batch **batch,
                               struct error *error)
{
    struct sending_batch *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    opened->sending = sending;
    buffer_init(&opened->bytes, BATCH_BYTES);
    arena_init(&opened->arena, TEXT_BYTES);
    *batch = opened;
    return STATUS_OK;
}

void sending_batch_close(struct sending_batch *batch)
{
    if (batch == NULL)
        return;
    buffer_free(&batch->bytes);
    arena_free(&batch->arena);
    free(batch);
}

/* ---- preparing ---- */

static enum status settle(struct sending_batch *batch, size_t turn, enum outbox_state state,
                          const char *reason, struct error *error)
{
    struct sending *sending = batch->sending;
    batch->settled[turn] = true;
    return outbox_settle(sending->outbox, sending->order->notice, batch->turns[turn].person.id,
                         state, reason, clock_now_ns(), 0, error);
}

/* The index of a person in the scope: people stand there by kind, then id. */
static enum status find_person(const struct scope *scope, const struct outbox_person *wanted,
                               size_t *at, struct error *error)
{
    size_t low = 0, high = scope->person_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct scope_person *person = &scope->people[middle];
        if (person->kind == wanted->kind && person->id == wanted->id) {
            *at = middle;
            return STATUS_OK;
        }
        if (person->kind < wanted->kind ||
            (person->kind == wanted->kind && person->id < wanted->id))
            low = middle + 1;
        else
            high = middle;
    }
    return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                     "the outbox names a person who is not in the scope");
}

/* bounces@host becomes bounces+ID@host. */
static void bounce_address(const char *bounces, const char *envelope_id, char *out, size_t room)
{
    size_t local = strcspn(bounces, "@");
    snprintf(out, room, "%.*s+%s%s", (int)local, bounces, envelope_id, bounces + local);
}

/* Too many in a row have one and the same trouble: it is about us, not about them. */
static enum status stop(const char *what, const char *hint, struct error *error)
{
    return error_set(error, STATUS_IO, "58030", hint,
                     "%d messages in a row %s: that is about us, not about them", MOST_REFUSED,
                     what);
}

/* One person's row must not hold up everybody: if no message can be made of it, it is a letter. */
static enum status give_up(struct sending_batch *batch, size_t turn,
                           const struct contact_person *contact, enum status status,
                           struct error *error)
{
    if (status == STATUS_NOT_FOUND)
        return settle(batch, turn, OUTBOX_ERASED, "the person's key was erased", error);
    if (status != STATUS_INVALID)
        return status;
    TRY(settle(batch, turn, contact->post_count > 0 ? OUTBOX_LETTER : OUTBOX_PUBLIC,
               "no message can be made of the person's row", error));
    if (++batch->sending->refused_in_a_row < MOST_REFUSED)
        return STATUS_OK;
    return stop("could not be made", "look at the texts with --dry-run --sample, then --resume",
                error);
}

/* A database that is empty, or hides rows from us, looks as if everybody had been erased. Those
 * whom the phase found gone already are no surprise. */
static enum status miss(struct sending_batch *batch, size_t turn, const char *why,
                        struct error *error)
{
    struct sending *sending = batch->sending;
    size_t person = 0;
    TRY(find_person(sending->scope, &batch->turns[turn].person, &person, error));
    if ((sending->scope->people[person].flags & (SCOPE_GONE | SCOPE_ERASED)) == 0 &&
        ++sending->missing_in_a_row > MOST_REFUSED)
        return error_set(error, STATUS_IO, "58030",
                         "see whether the database is whole and the contact role sees all of it; "
                         "if these people are gone indeed, go on with --resume",
                         "more than %d people in a row are missing who were there when the phase "
                         "was made",
                         MOST_REFUSED);
    return settle(batch, turn, OUTBOX_ERASED, why, error);
}

static enum status render(struct sending_batch *batch, size_t turn,
                          const struct contact_person *contact, struct error *error)
{
    struct sending *sending = batch->sending;
    struct job *job = &batch->jobs[batch->job_count];
    struct mail_message message;
    char from[sizeof job->from];
    size_t person = 0;
    TRY(find_person(sending->scope, &batch->turns[turn].person, &person, error));
    *job = (struct job){.turn = turn, .start = batch->bytes.len};
    enum status status = notice_render(sending->notice, person, contact, clock_now_ns(),
                                       &batch->arena, &message, error);
    if (status == STATUS_OK)
        status = mail_build(&message, &batch->bytes, error);
    if (status != STATUS_OK) {
        batch->bytes.len = job->start;
        return give_up(batch, turn, contact, status, error);
    }
    job->len = batch->bytes.len - job->start;
    struct slice rendered = slice_of(batch->bytes.data + job->start, job->len);
    crypto_sha256(&rendered, 1, job->digest);
    snprintf(job->to, sizeof job->to, "%s", message.to_address);
    bounce_address(sending->casework->config->mail.bounces, batch->turns[turn].envelope_id, from,
                   sizeof from);
    memcpy(job->from, from, sizeof from);
    batch->job_count++;
    return STATUS_OK;
}

static enum status take(void *context, const struct contact_person *contact, struct error *error)
{
    struct sending_batch *batch = context;
    size_t turn = batch->places[contact->at];
    const char *reason = NULL;
    batch->sending->missing_in_a_row = 0;
    enum outbox_state channel = notice_channel(batch->sending->notice, contact, &reason);
    if (channel != OUTBOX_READY)
        return settle(batch, turn, channel, reason, error);
    arena_reset(&batch->arena);
    return render(batch, turn, contact, error);
}

static int by_id(const void *a, const void *b)
{
    const struct outbox_turn *x = a, *y = b;
    return (x->person.id > y->person.id) - (x->person.id < y->person.id);
}

/* The people of a kind who have a key yet, with ascending ids. */
static enum status gather(struct sending_batch *batch, uint16_t kind, struct error *error)
{
    batch->key_count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct outbox_person *person = &batch->turns[i].person;
        size_t at = batch->key_count;
        if (person->kind != kind)
            continue;
        enum status status = scope_key(batch->sending->scope, person->id, batch->keys[at]);
        if (status == STATUS_NOT_FOUND) {
            TRY(miss(batch, i, "the person's key was erased", error));
            continue;
        }
        if (status != STATUS_OK)
            return error_set(error, status, "XX001", NULL, "a person's key cannot be read");
        batch->key_list[at] = batch->keys[at];
        batch->ids[at] = person->id;
        batch->places[at] = i;
        batch->key_count++;
    }
    return STATUS_OK;
}

static enum status read_kind(struct sending_batch *batch, uint16_t kind, struct error *error)
{
    struct sending *sending = batch->sending;
    char purpose[64];
    TRY(gather(batch, kind, error));
    if (batch->key_count == 0)
        return STATUS_OK;
    snprintf(purpose, sizeof purpose, "incident %" PRId64 " notice %" PRId64,
             sending->scope->incident.number, sending->order->notice);
    TRY(admin_client_record_read(sending->admin, scope_kind(sending->scope, kind),
                                 contact_columns(sending->reader, kind, false), purpose, batch->ids,
                                 batch->key_count, error));
    TRY(contact_read(sending->reader, kind, batch->key_list, batch->key_count, take, batch, error));
    for (size_t i = 0; i < batch->key_count; i++) {
        size_t turn = batch->places[i];
        bool is_job = false;
        for (size_t j = 0; j < batch->job_count; j++)
            is_job |= batch->jobs[j].turn == turn;
        if (!is_job && !batch->settled[turn])
            TRY(miss(batch, turn, "no longer in the database", error));
    }
    return STATUS_OK;
}

/* Those who were offered and neither begun nor settled can be offered again, unless a notice has
 * told of an earlier attempt meanwhile. Under the lock. */
static enum status return_rest(struct sending_batch *batch, struct error *error)
{
    struct sending *sending = batch->sending;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->settled[i])
            continue;
        batch->settled[i] = true;
        TRY(outbox_return(sending->outbox, sending->order->notice, batch->turns[i].person.id,
                          error));
    }
    return STATUS_OK;
}

static size_t batch_size(const struct sending *sending)
{
    uint32_t per_minute = sending->casework->config->mail.per_minute;
    if (per_minute == 0 || per_minute / BATCHES_A_MINUTE >= SENDING_BATCH)
        return SENDING_BATCH;
    return per_minute < BATCHES_A_MINUTE ? 1 : per_minute / BATCHES_A_MINUTE;
}

enum status sending_batch_prepare(struct sending_batch *batch, size_t *count, struct error *error)
{
    struct sending *sending = batch->sending;
    batch->job_count = batch->count = 0;
    batch->is_cut = false;
    buffer_clear(&batch->bytes);
    memset(batch->settled, 0, sizeof batch->settled);
    TRY(outbox_offer(sending->outbox, sending->order->notice, clock_now_ns(), batch->turns,
                     batch_size(sending), &batch->count, error));
    qsort(batch->turns, batch->count, sizeof batch->turns[0], by_id);
    enum status status = STATUS_OK;
    for (size_t kind = 0; kind < sending->casework->policy->kind_count && status == STATUS_OK;
         kind++)
        status = read_kind(batch, (uint16_t)kind, error);
    if (status != STATUS_OK) {
        enum status returned = return_rest(batch, NULL);
        (void)returned; /* the first failure is told; opening the outbox again returns them too */
        return status;
    }
    *count = batch->count;
    return STATUS_OK;
}

/* ---- sending ---- */

static enum status envelope(void *context, size_t at, struct mail_envelope *out,
                            struct error *error)
{
    struct sending_batch *batch = context;
    const struct job *job = &batch->jobs[at];
    (void)error;
    *out = (struct mail_envelope){
        .from = job->from,
        .to = job->to,
        .envelope_id = batch->turns[job->turn].envelope_id,
        .bytes = slice_of(batch->bytes.data + job->start, job->len),
    };
    return STATUS_OK;
}

/* The instant at which the next message may begin. Under the lock. */
static int64_t take_slot(struct sending *sending)
{
    uint32_t per_minute = sending->casework->config->mail.per_minute;
    int64_t now = clock_monotonic_ns();
    if (per_minute == 0)
        return now;
    int64_t slot = sending->next_slot_ns > now ? sending->next_slot_ns : now;
    sending->next_slot_ns = slot + MINUTE_NS / per_minute;
    return slot;
}

/* What the server promises is known before the first message begins. Under the lock. */
static enum status note_promise(const struct sending_batch *batch, struct error *error)
{
    struct sending *sending = batch->sending;
    if (batch->offers_dsn == sending->offers_dsn)
        return STATUS_OK;
    TRY(outbox_set_dsn(sending->outbox, batch->offers_dsn, error));
    sending->offers_dsn = batch->offers_dsn;
    return STATUS_OK;
}

static enum status begin(void *context, size_t at, struct error *error)
{
    struct sending_batch *batch = context;
    struct sending *sending = batch->sending;
    const struct job *job = &batch->jobs[at];
    pthread_mutex_lock(&sending->lock);
    int64_t slot = take_slot(sending);
    pthread_mutex_unlock(&sending->lock);
    sending_sleep_until(sending, slot);
    enum status status = STATUS_CLOSED;
    pthread_mutex_lock(&sending->lock);
    if (!sending->is_over && !sending_is_stopped(sending)) {
        status = note_promise(batch, error);
        if (status == STATUS_OK)
            status =
                outbox_begin(sending->outbox, sending->order->notice,
                             batch->turns[job->turn].person.id, job->digest, clock_now_ns(), error);
        batch->is_cut = status == STATUS_CLOSED;
        if (status != STATUS_OK && !batch->is_cut)
            sending_fail(sending, status, error);
    }
    pthread_mutex_unlock(&sending->lock);
    return status;
}

/* After the n-th attempt: seconds, then minutes, then hours. */
static int64_t retry_after_ns(uint32_t attempts)
{
    static const int64_t seconds[] = {5, 60, 300, 900, 1800, 3600, 7200};
    size_t last = sizeof seconds / sizeof seconds[0] - 1;
    size_t at = attempts == 0 ? 0 : attempts - 1;
    return seconds[at < last ? at : last] * SECOND_NS;
}

static enum outbox_state state_of(const struct mail_result *result, uint32_t attempts)
{
    switch (result->outcome) {
    case MAIL_ACCEPTED:
        return OUTBOX_ACCEPTED;
    case MAIL_REFUSED:
        return OUTBOX_REFUSED;
    case MAIL_DEFERRED:
        return attempts >= MOST_ATTEMPTS ? OUTBOX_LETTER : OUTBOX_DEFERRED;
    case MAIL_UNKNOWN:
        return OUTBOX_IN_DOUBT;
    case MAIL_NOT_TRIED:
        break;
    }
    return OUTBOX_READY;
}

/* A few full mailboxes are put off to the end; a server that puts off more people than it has taken
 * is ill itself. Under the lock. */
static void count_put_off(struct sending *sending)
{
    struct outbox_counts counts;
    struct error error;
    if (++sending->put_off_in_a_row < MOST_REFUSED)
        return;
    enum status status = outbox_count(sending->outbox, sending->order->notice, &counts, &error);
    if (status == STATUS_OK &&
        counts.states[OUTBOX_DEFERRED] + sending->put_off_in_a_row > counts.states[OUTBOX_ACCEPTED])
        status = stop("were put off to the last attempt",
                      "look at the answers with --proof, mend the cause, then --resume", &error);
    if (status != STATUS_OK)
        sending_fail(sending, status, &error);
}

/* A server that refuses everybody has something against us. Under the lock. */
static void count_refusals(struct sending *sending, enum outbox_state state)
{
    if (state == OUTBOX_ACCEPTED) {
        sending->handed_over++;
        sending->failures = 0; /* a server that ends connections after so many is no outage */
        sending->refused_in_a_row = sending->put_off_in_a_row = 0;
    } else if (state == OUTBOX_LETTER) {
        count_put_off(sending);
    } else if (state == OUTBOX_REFUSED) {
        sending->refused_in_a_row++;
    }
    if (sending->refused_in_a_row < MOST_REFUSED)
        return;
    struct error error;
    sending_fail(sending,
                 stop("were refused",
                      "look at the answers with --proof, mend the cause, then --resume", &error),
                 &error);
}

static enum status done(void *context, size_t at, const struct mail_result *result,
                        struct error *error)
{
    struct sending_batch *batch = context;
    struct sending *sending = batch->sending;
    size_t turn = batch->jobs[at].turn;
    const struct outbox_turn *about = &batch->turns[turn];
    enum outbox_state state = state_of(result, about->attempts);
    char reply[220];
    if (state == OUTBOX_READY)
        return STATUS_OK; /* returned with the rest */
    if (result->code != 0)
        snprintf(reply, sizeof reply, "%d %s", result->code, result->reply);
    else
        snprintf(reply, sizeof reply, "the connection broke before the answer");
    pthread_mutex_lock(&sending->lock);
    int64_t now = clock_now_ns();
    batch->settled[turn] = true;
    enum status status =
        outbox_settle(sending->outbox, sending->order->notice, about->person.id, state, reply, now,
                      now + retry_after_ns(about->attempts), error);
    if (status == STATUS_OK)
        count_refusals(sending, state);
    else
        sending_fail(sending, status, error);
    bool is_over = sending->is_over;
    pthread_mutex_unlock(&sending->lock);
    return status == STATUS_OK && is_over ? STATUS_CLOSED : status; /* nobody more is tried */
}

enum status sending_batch_send(struct sending_batch *batch, struct error *error)
{
    struct sending *sending = batch->sending;
    const struct mail_batch mail = {batch->job_count, envelope, begin, done, batch};
    enum status status = mail_send(&sending->mail.server, &mail, &batch->offers_dsn, error);
    struct error second;
    if (status == STATUS_CLOSED && batch->is_cut)
        status = STATUS_OK;
    pthread_mutex_lock(&sending->lock);
    enum status kept = return_rest(batch, &second);
    if (kept != STATUS_OK)
        sending_fail(sending, kept, &second);
    pthread_mutex_unlock(&sending->lock);
    buffer_clear(&batch->bytes);
    return status;
}

/* Answering who asked. Whose address or name it is comes from the database; whether an incident
 * affects them, from the scopes alone. Whom nobody knows gets nothing, and the asker cannot tell.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "incident/letter_requests.h"
#include "incident/sending_private.h"
#include "incident/desk_private.h"

enum {
    MOST_PEOPLE = 4, /* who share an address: a couple, a customer who also enquired */
    MESSAGE_BYTES = 1024 * 1024,
    ARENA_BYTES = 256 * 1024 * 1024,
    CHANNEL_ROOM = 40,
    TOLD_BYTES = 2048,
    MESSAGE_ID_BYTES = 16
};
static const char purpose[] = "answer to a request on the public page";

/* One answer to one person about one incident, or about none. */
struct answer {
    size_t file; /* whose request */
    uint16_t kind;
    const char *key;
    const struct desk_case *affected; /* NULL: by none */
    struct desk_presence presence;    /* in scopes all the same */
    bool by_letter;
    struct mail_message message;
    struct buffer bytes; /* of the message; empty: nothing to send */
    bool sent_or_refused;
};
/* Who fits a request: all of them have one mailbox. */
struct fits {
    size_t people, affected, spared;
    uint64_t named; /* of all of them, as in desk_presence */
};
_Static_assert(DESK_CASES <= 64, "each case has a bit");
struct answering {
    struct desk_cases *cases;
    struct answered *answered;
    struct contact_reader *reader;
    struct desk_texts *texts;
    struct request_file *files;
    size_t file_count;
    struct fits *fits; /* beside files */
    struct answer *answers;
    size_t count, room;
    struct arena arena;
    struct desk_counts *counts;
};

/* ---- who is asked about ---- */

static void name_channel(const struct answer *answer, char channel[static CHANNEL_ROOM])
{
    snprintf(channel, CHANNEL_ROOM, "%s:%" PRId64, answer->by_letter ? "letter" : "mail",
             answer->affected == NULL ? 0 : answer->affected->number);
}

static const char *kind_name(const struct answering *answering, uint16_t kind)
{
    return answering->cases->casework->policy->kinds[kind].name;
}

/* Is the same answer under way already, since somebody asked twice? */
static bool is_under_way(const struct answering *answering, const struct answer *answer)
{
    for (size_t i = 0; i < answering->count; i++) {
        const struct answer *other = &answering->answers[i];
        if (other->kind == answer->kind && other->affected == answer->affected &&
            other->by_letter == answer->by_letter && strcmp(other->key, answer->key) == 0)
            return true;
    }
    return false;
}

static enum status add_answer(struct answering *answering, struct answer answer,
                              struct error *error)
{
    char channel[CHANNEL_ROOM];
    name_channel(&answer, channel);
    if (is_under_way(answering, &answer) ||
        answered_has(answering->answered, channel, kind_name(answering, answer.kind), answer.key)) {
        answering->counts->repeated++;
        return STATUS_OK;
    }
    if (answered_full(answering->answered) || answering->count == answering->room) {
        answering->files[answer.file].waits = true;
        return STATUS_OK;
    }
    answer.key = arena_strdup(&answering->arena, answer.key);
    if (answer.key == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    buffer_init(&answer.bytes, MESSAGE_BYTES);
    answering->answers[answering->count++] = answer;
    return STATUS_OK;
}

struct asking {
    struct answering *answering;
    uint16_t kind;
    bool by_letter;
    const size_t *files; /* beside the values */
};

/* Is everything about the person in figures over enough people? Those alone name nobody. */
static bool is_in_figures_only(const struct scope *scope, const struct scope_person *person)
{
    const struct scope_class *class = &scope->classes[person->group];
    size_t at = 0;
    while (at < class->fact_count && scope->facts[class->facts[at]].grade == SCOPE_AGGREGATE)
        at++;
    return class->fact_count > 0 && at == class->fact_count;
}

/* By default, or because the officer decided so. */
static bool affects(const struct desk_cases *cases, size_t at, uint16_t kind, const char *key,
                    struct desk_presence *presence)
{
    const struct desk_case *about = &cases->cases[at];
    const struct scope_person *person = NULL;
    size_t place;
    if (scope_find(about->scope, kind, slice_of_text(key), &place) == STATUS_OK)
        person = &about->scope->people[place];
    if ((person != NULL && scope_notified(about->scope, person, SCOPE_GRADES_NOTIFIED)) ||
        desk_find_notice(about, kind, key, &place) != NULL)
        return true;
    if (person != NULL && is_in_figures_only(about->scope, person))
        presence->counted = true;
    else if (person != NULL)
        presence->named |= UINT64_C(1) << at;
    return false;
}

static enum status take_match(void *context, size_t at, const char *key, struct error *error)
{
    const struct asking *asking = context;
    struct answering *answering = asking->answering;
    struct answer answer = {.file = asking->files[at],
                            .kind = asking->kind,
                            .key = key,
                            .by_letter = asking->by_letter};
    struct fits *fits = &answering->fits[answer.file];
    bool affected = false;
    fits->people++;
    for (size_t c = 0; c < answering->cases->count; c++) {
        const struct desk_case *about = &answering->cases->cases[c];
        if (!affects(answering->cases, c, asking->kind, key, &answer.presence))
            continue;
        affected = true;
        answer.affected = about;
        if (fits->affected < MOST_PEOPLE)
            TRY(add_answer(answering, answer, error));
    }
    answer.affected = NULL;
    fits->named |= answer.presence.named;
    if (affected)
        fits->affected++;
    else if (fits->spared++ < MOST_PEOPLE)
        return add_answer(answering, answer, error);
    return STATUS_OK;
}

static const char *value_of(struct answering *answering, const struct request *request,
                            bool by_letter)
{
    if (by_letter)
        return request->kind == REQUEST_LETTER
                   ? arena_printf(&answering->arena, "%s\n%s", request->value, request->postcode)
                   : NULL;
    return request->kind == REQUEST_EMAIL ? request->value : NULL;
}

/* All at once; one by one where one of them cannot be written in the database's encoding: that is
 * nobody's there. */
static enum status match(struct asking *asking, const char *const *values, size_t count,
                         struct error *error)
{
    static const char untranslatable[] = "22P05";
    struct contact_reader *reader = asking->answering->reader;
    const char *field = asking->by_letter ? "name and postcode" : "email";
    const size_t *files = asking->files;
    enum status status = count == 0 ? STATUS_OK
                                    : contact_match(reader, asking->kind, field, values, count,
                                                    take_match, asking, error);
    if (status == STATUS_OK || strcmp(error->sqlstate, untranslatable) != 0)
        return status;
    for (size_t i = 0; i < count; i++) {
        asking->files = files + i;
        status =
            contact_match(reader, asking->kind, field, values + i, 1, take_match, asking, error);
        if (status != STATUS_OK && strcmp(error->sqlstate, untranslatable) != 0)
            return status;
    }
    return STATUS_OK;
}

static enum status ask_kind(struct answering *answering, uint16_t kind, bool by_letter,
                            struct error *error)
{
    const struct policy_contact *contact = &answering->cases->casework->policy->kinds[kind].contact;
    bool can =
        by_letter ? contact->name != NULL && contact->post_count > 0 : contact->email != NULL;
    const char **values = arena_array(&answering->arena, const char *, answering->file_count + 1);
    size_t *files = arena_array(&answering->arena, size_t, answering->file_count + 1), count = 0;
    if (!can || values == NULL || files == NULL)
        return STATUS_OK; /* an arena that is full is told by whoever needs it next */
    for (size_t i = 0; i < answering->file_count; i++) {
        const char *value = value_of(answering, &answering->files[i].request, by_letter);
        if (value != NULL) {
            values[count] = value;
            files[count++] = i;
        }
    }
    struct asking asking = {answering, kind, by_letter, files};
    return match(&asking, values, count, error);
}

/* A "no", or "neither yes nor no", must be true of whoever opens the mailbox: nobody in it is
 * affected, and no scope is behind the ledger. Otherwise it is left out, or waits for the next
 * phase. */
static void judge_denials(struct answering *answering)
{
    size_t kept = 0;
    int64_t behind = 0;
    for (size_t c = 0; c < answering->cases->count && behind == 0; c++)
        if (answering->cases->cases[c].is_behind)
            behind = answering->cases->cases[c].number;
    for (size_t i = 0; i < answering->count; i++) {
        struct answer *answer = &answering->answers[i];
        bool shared = answering->fits[answer->file].affected > 0;
        if (answer->affected == NULL && !shared && behind != 0)
            answering->files[answer->file].waits = true;
        if (answer->affected != NULL || (!shared && behind == 0))
            answering->answers[kept++] = *answer;
        else
            buffer_free(&answer->bytes);
    }
    if (behind != 0 && kept < answering->count)
        log_event(LOG_WARNING, "worker_waits",
                  "incident=%" PRId64 " reason=\"its scope is behind the ledger: nobody is told "
                  "no\" hint=\"incident scope %" PRId64 " --new-phase\"",
                  behind, behind);
    answering->count = kept;
}

/* ---- reading them ---- */

static int compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static bool find_id(const struct answering *answering, const struct answer *answer, uint32_t *id)
{
    for (size_t c = 0; c < answering->cases->count; c++) {
        const struct scope *scope = answering->cases->cases[c].scope;
        size_t at;
        if (scope_find(scope, answer->kind, slice_of_text(answer->key), &at) == STATUS_OK) {
            *id = scope->people[at].id;
            return true;
        }
    }
    return false;
}

/* Who is in no scope may have no number in the ledger: of them it holds how many were read. */
static enum status record_kind(struct answering *answering, uint16_t kind, struct error *error)
{
    struct admin_client *admin;
    char text[200];
    size_t count = 0, distinct = 0, unknown = 0;
    uint32_t *ids = arena_array(&answering->arena, uint32_t, answering->count + 1);
    if (ids == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < answering->count; i++) {
        if (answering->answers[i].kind != kind)
            continue;
        if (find_id(answering, &answering->answers[i], &ids[count]))
            count++;
        else
            unknown++;
    }
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || ids[i] != ids[i - 1])
            ids[distinct++] = ids[i];
    TRY(casework_admin(answering->cases->casework, &admin, error));
    if (distinct > 0)
        TRY(admin_client_record_read(admin, kind_name(answering, kind),
                                     contact_columns(answering->reader, kind, false), purpose, ids,
                                     distinct, error));
    snprintf(text, sizeof text,
             "worker: read how %zu of kind %.63s who are in no scope are reached", unknown,
             kind_name(answering, kind));
    return unknown == 0 ? STATUS_OK
                        : admin_client_record_act(admin, NULL, answering->cases->casework->by, text,
                                                  NULL, error);
}

/* ---- letters ---- */

/* "affected by incident 1", "named in connection with incident 1 2", "not affected" */
static enum status list_letter(const struct answering *answering, const struct answer *answer,
                               struct error *error)
{
    const struct desk_cases *cases = answering->cases;
    uint64_t named = answer->presence.named;
    struct buffer told;
    buffer_init(&told, TOLD_BYTES);
    if (answer->affected != NULL)
        buffer_printf(&told, "%s%" PRId64, LETTER_REQUESTS_AFFECTED, answer->affected->number);
    else
        buffer_append_text(&told,
                           named != 0 ? "named in connection with incident" : "not affected");
    for (size_t i = 0; answer->affected == NULL && i < cases->count; i++)
        if ((named >> i & 1) != 0)
            buffer_printf(&told, " %" PRId64, cases->cases[i].number);
    const struct letter_request request = {answering->files[answer->file].request.asked_ns,
                                           kind_name(answering, answer->kind), answer->key,
                                           buffer_text(&told)};
    enum status status =
        letter_requests_add(cases->casework->config->incidents_folder, &request, error);
    buffer_free(&told);
    return status;
}

static enum status settle(struct answering *answering, const struct answer *answer,
                          struct error *error)
{
    char channel[CHANNEL_ROOM];
    name_channel(answer, channel);
    return answered_add(answering->answered, channel, kind_name(answering, answer->kind),
                        answer->key, error);
}

static enum status answer_by_letter(struct answering *answering, struct answer *answer,
                                    const struct contact_person *person, struct error *error)
{
    answer->sent_or_refused = true;
    if (person->post_count == 0 || person->gone_away || person->safe_contact)
        return STATUS_OK;
    TRY(list_letter(answering, answer, error));
    answering->counts->letters++;
    return settle(answering, answer, error);
}

/* ---- mails ---- */

/* The person's own notice again, if one was approved and still has the words that were. */
static enum status render_notice(struct answering *answering, const struct answer *answer,
                                 const struct contact_person *person, struct mail_message *message,
                                 bool *rendered, struct error *error)
{
    size_t at;
    const struct desk_notice *told =
        desk_find_notice(answer->affected, answer->kind, answer->key, &at);
    *rendered = false;
    if (told == NULL || !told->is_as_approved)
        return STATUS_OK;
    enum status status =
        notice_render(told->notice, at, person, clock_now_ns(), &answering->arena, message, error);
    *rendered = status == STATUS_OK;
    return status == STATUS_INVALID ? STATUS_OK : status; /* about this person's row */
}

/* A message that has been seen before under its name may be thrown away as a double. */
static void rename_message(struct answering *answering, struct mail_message *message)
{
    uint8_t random[MESSAGE_ID_BYTES];
    char hex[2 * MESSAGE_ID_BYTES + 1];
    const char *domain = message->message_id == NULL ? NULL : strrchr(message->message_id, '@');
    if (domain == NULL)
        return;
    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, hex);
    message->message_id = arena_printf(&answering->arena, "%s%s", hex, domain);
}

/* A mailbox is told once that nobody in it is affected. */
static bool is_denied_already(const struct answering *answering, const struct answer *answer)
{
    for (const struct answer *other = answering->answers; other != answer; other++)
        if (other->file == answer->file && other->affected == NULL && other->bytes.len > 0)
            return true;
    return false;
}

/* Whom our records name in any of the mailbox's people: a plain "no" would be untrue of it. */
static enum status write_answer(struct answering *answering, struct answer *answer,
                                const struct contact_person *person, struct error *error)
{
    struct desk_presence presence = answer->presence;
    presence.named = answering->fits[answer->file].named;
    return desk_text(answering->texts, answering->cases, answer->affected, presence, person,
                     answering->files[answer->file].request.language, &answering->arena,
                     &answer->message, error);
}

static enum status answer_by_mail(struct answering *answering, struct answer *answer,
                                  const struct contact_person *person, struct error *error)
{
    bool rendered = false;
    if (person->email == NULL || !mail_address_usable(person->email) ||
        (answer->affected == NULL && is_denied_already(answering, answer))) {
        answer->sent_or_refused = true;
        return STATUS_OK;
    }
    if (answer->affected != NULL)
        TRY(render_notice(answering, answer, person, &answer->message, &rendered, error));
    if (rendered)
        rename_message(answering, &answer->message);
    else
        TRY(write_answer(answering, answer, person, error));
    enum status status = mail_build(&answer->message, &answer->bytes, error);
    if (status == STATUS_INVALID) { /* the row is such that no mail can be made */
        buffer_clear(&answer->bytes);
        answer->sent_or_refused = true;
        log_event(LOG_WARNING, "worker_answer_refused", "reason=\"%s\"", error->message);
        return STATUS_OK;
    }
    return status;
}

struct reading {
    struct answering *answering;
    struct answer **answers; /* beside the keys */
};

static enum status take_person(void *context, const struct contact_person *person,
                               struct error *error)
{
    const struct reading *reading = context;
    struct answer *answer = reading->answers[person->at];
    if (person->deceased) {
        answer->sent_or_refused = true;
        return STATUS_OK;
    }
    return answer->by_letter ? answer_by_letter(reading->answering, answer, person, error)
                             : answer_by_mail(reading->answering, answer, person, error);
}

static enum status read_kind(struct answering *answering, uint16_t kind, struct error *error)
{
    const char **keys = arena_array(&answering->arena, const char *, answering->count + 1);
    struct answer **answers = arena_array(&answering->arena, struct answer *, answering->count + 1);
    size_t count = 0;
    if (keys == NULL || answers == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < answering->count; i++)
        if (answering->answers[i].kind == kind) {
            keys[count] = answering->answers[i].key;
            answers[count++] = &answering->answers[i];
        }
    if (count == 0)
        return STATUS_OK;
    struct reading reading = {answering, answers};
    TRY(record_kind(answering, kind, error));
    return contact_read(answering->reader, kind, keys, count, take_person, &reading, error);
}

/* ---- sending ---- */

struct posting {
    struct answering *answering;
    struct answer **answers; /* with a message */
    size_t count;
};

static enum status envelope(void *context, size_t at, struct mail_envelope *out,
                            struct error *error)
{
    const struct posting *posting = context;
    const struct answer *answer = posting->answers[at];
    (void)error;
    *out = (struct mail_envelope){
        .from = posting->answering->cases->casework->config->mail.bounces != NULL
                    ? posting->answering->cases->casework->config->mail.bounces
                    : answer->message.from_address,
        .to = answer->message.to_address,
        .bytes = buffer_slice(&answer->bytes)};
    return STATUS_OK;
}

static enum status begin(void *context, size_t at, struct error *error)
{
    (void)context, (void)at, (void)error;
    return STATUS_OK;
}

/* A "no" is everybody's in the mailbox: the next request of the day gets no second one. */
static enum status settle_all(struct answering *answering, const struct answer *sent,
                              struct error *error)
{
    for (size_t i = 0; i < answering->count; i++) {
        const struct answer *other = &answering->answers[i];
        bool same = other == sent || (sent->affected == NULL && other->affected == NULL &&
                                      other->file == sent->file && !other->by_letter);
        if (same)
            TRY(settle(answering, other, error));
    }
    return STATUS_OK;
}

/* One that the server may have is not sent again: the person can ask again tomorrow. */
static enum status done(void *context, size_t at, const struct mail_result *result,
                        struct error *error)
{
    const struct posting *posting = context;
    struct answer *answer = posting->answers[at];
    switch (result->outcome) {
    case MAIL_ACCEPTED:
    case MAIL_UNKNOWN:
        answer->sent_or_refused = true;
        posting->answering->counts->mails++;
        return settle_all(posting->answering, answer, error);
    case MAIL_REFUSED:
        answer->sent_or_refused = true;
        log_event(LOG_WARNING, "worker_answer_refused", "code=%d", result->code);
        return STATUS_OK;
    case MAIL_DEFERRED:
    case MAIL_NOT_TRIED:
        break;
    }
    return STATUS_OK;
}

static enum status post_all(struct answering *answering, struct error *error)
{
    struct sending_server mail = {0};
    struct posting posting = {.answering = answering};
    posting.answers = arena_array(&answering->arena, struct answer *, answering->count + 1);
    if (posting.answers == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (size_t i = 0; i < answering->count; i++)
        if (answering->answers[i].bytes.len > 0)
            posting.answers[posting.count++] = &answering->answers[i];
    if (posting.count == 0)
        return STATUS_OK;
    const struct mail_batch batch = {posting.count, envelope, begin, done, &posting};
    enum status status = sending_server_open(answering->cases->casework->config, &mail, error);
    if (status == STATUS_OK)
        status = mail_send(&mail.server, &batch, NULL, error);
    sending_server_close(&mail);
    return status;
}

/* ---- the whole ---- */

static enum status answer_all(struct answering *answering, struct error *error)
{
    const struct casework *casework = answering->cases->casework;
    TRY(contact_open(casework->config, casework->policy, &answering->reader, error));
    TRY(desk_texts_open(casework, &answering->texts, error));
    for (size_t k = 0; k < casework->policy->kind_count; k++)
        for (int letter = 0; letter <= 1; letter++)
            TRY(ask_kind(answering, (uint16_t)k, letter == 1, error));
    if (answering->arena.overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    judge_denials(answering);
    for (size_t k = 0; k < casework->policy->kind_count; k++)
        TRY(read_kind(answering, (uint16_t)k, error));
    return post_all(answering, error);
}

/* What waits for another try stays in the queue; so does everything after a failure, but for what
 * went out before it. */
static void tidy_queue(struct answering *answering, bool failed)
{
    const char *queue = answering->cases->casework->config->portal.queue;
    for (size_t i = 0; i < answering->count; i++)
        if (!answering->answers[i].sent_or_refused && answering->answers[i].bytes.len > 0)
            answering->files[answering->answers[i].file].waits = true;
    for (size_t i = 0; i < answering->file_count; i++) {
        if (failed || answering->files[i].waits) {
            answering->counts->kept++;
            continue;
        }
        answering->counts->unknown += answering->fits[i].people == 0;
        requests_remove(queue, answering->files[i].name);
    }
}

enum status desk_answer(struct desk_cases *cases, struct answered *answered,
                        struct request_file *files, size_t count, struct desk_counts *counts,
                        struct error *error)
{
    struct answering answering = {.cases = cases,
                                  .answered = answered,
                                  .files = files,
                                  .file_count = count,
                                  .room = count * MOST_PEOPLE * 2,
                                  .counts = counts};
    enum status status;
    arena_init(&answering.arena, ARENA_BYTES);
    answering.fits = calloc(count + 1, sizeof *answering.fits);
    answering.answers = calloc(answering.room + 1, sizeof *answering.answers);
    counts->requests += count;
    if (answering.fits == NULL || answering.answers == NULL)
        status = error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    else {
        status = answer_all(&answering, error);
        tidy_queue(&answering, status != STATUS_OK);
    }
    for (size_t i = 0; i < answering.count; i++)
        buffer_free(&answering.answers[i].bytes);
    free(answering.answers);
    free(answering.fits);
    desk_texts_close(answering.texts);
    contact_close(answering.reader);
    arena_free(&answering.arena);
    return status;
}

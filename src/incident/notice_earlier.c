/* What earlier notices of the incident told whom, from their phases' scopes and the outbox: a new
 * notice goes to people who had none, and to those of whom more is known than they were told. Who
 * was missing from the database when an earlier one was sent has had none, and may be back. */
#include <stdlib.h>

#include "base/file.h"
#include "incident/notice_private.h"

enum { FIRST_MISSED = 64 };

/* What a person has been told so far. */
struct told {
    uint64_t clear, masked;
    uint8_t notice; /* index in notice->earlier_ns plus one; 0: nothing */
    bool confirmed;
};

/* Is there more in the class, or a confirmation, than has been told? */
static bool is_news(const struct told *told, const struct notice_class *class, bool confirmed)
{
    return told->notice == 0 || (class->clear & ~told->clear) != 0 ||
           (class->masked & ~(told->clear | told->masked)) != 0 || (confirmed && !told->confirmed);
}

/* Subject ids whom a notice did not find, ascending. */
struct missed {
    uint32_t *ids;
    size_t count, capacity;
};

static enum status note_missed(void *context, const struct outbox_proof *proof, struct error *error)
{
    struct missed *missed = context;
    if (proof->state != OUTBOX_ERASED)
        return STATUS_OK;
    if (missed->count == missed->capacity) {
        size_t capacity = missed->capacity == 0 ? FIRST_MISSED : 2 * missed->capacity;
        uint32_t *grown = realloc(missed->ids, capacity * sizeof *grown);
        if (grown == NULL)
            return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
        missed->ids = grown;
        missed->capacity = capacity;
    }
    missed->ids[missed->count++] = proof->id;
    return STATUS_OK;
}

static int by_id(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool is_missed(const struct missed *missed, uint32_t id)
{
    return missed->count > 0 && bsearch(&id, missed->ids, missed->count, sizeof id, by_id) != NULL;
}

/* That state is final: the answer is the same however often it is asked. */
static enum status find_missed(struct casework *casework, struct notice *notice, int64_t number,
                               struct missed *missed, struct error *error)
{
    const char *path;
    struct outbox *outbox = NULL;
    TRY(incidents_path(casework->incidents, notice->scope->incident.number, CASEWORK_OUTBOX,
                       &notice->arena, &path, error));
    if (!file_exists(path))
        return STATUS_OK;
    TRY(outbox_open(path, false, &outbox, error));
    enum status status = outbox_each(outbox, number, note_missed, missed, error);
    outbox_close(outbox);
    return status;
}

static bool same_person(const struct scope_person *a, const struct scope_person *b)
{
    return a->kind == b->kind && a->id == b->id;
}

static bool stands_before(const struct scope_person *a, const struct scope_person *b)
{
    return a->kind != b->kind ? a->kind < b->kind : a->id < b->id;
}

/* Both scopes' people are in the same order. */
static enum status take_scope(struct notice *notice, const struct scope *then, uint8_t index,
                              const struct missed *missed, struct told *told, struct error *error)
{
    const struct scope *now = notice->scope;
    size_t kinds = notice->casework->policy->kind_count;
    struct notice_class *classes = calloc(kinds * then->class_count + 1, sizeof *classes);
    enum status status = classes != NULL
                             ? STATUS_OK
                             : error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    size_t at = 0;
    for (size_t i = 0; i < then->person_count && status == STATUS_OK; i++) {
        const struct scope_person *person = &then->people[i];
        while (at < now->person_count && stands_before(&now->people[at], person))
            at++;
        if (person->kind >= kinds || !scope_notified(then, person, notice->grades) ||
            at == now->person_count || !same_person(&now->people[at], person) ||
            is_missed(missed, person->id))
            continue;
        struct notice_class *class = &classes[person->kind * then->class_count + person->group];
        status = notice_class_make(notice, then, person, class, error);
        bool confirmed = (person->flags & SCOPE_CONFIRMED) != 0;
        if (status == STATUS_OK && is_news(&told[at], class, confirmed))
            told[at] = (struct told){class->clear, class->masked, index, confirmed};
    }
    free(classes);
    return status;
}

static enum status take_notice(struct casework *casework, struct notice *notice, int64_t number,
                               struct told *told, struct error *error)
{
    struct incident_notice earlier;
    struct scope *then = NULL;
    struct missed missed = {.count = 0};
    int64_t incident = notice->scope->incident.number;
    if (notice->earlier_count == 255)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "too many notices of one incident");
    TRY(incidents_get_notice(casework->incidents, incident, number, &notice->arena, &earlier,
                             error));
    struct notice_facts settings;
    TRY(notice_facts_parse(earlier.settings, &notice->arena, &settings, error));
    scope_grades now = notice->grades;
    enum status status = scope_open(casework, incident, earlier.phase, &then, error);
    if (status == STATUS_OK)
        status = find_missed(casework, notice, number, &missed, error);
    if (status == STATUS_OK) {
        notice->earlier_ns[notice->earlier_count++] = earlier.approved_ns;
        notice->grades = (scope_grades)notice_fact_time(&settings, "grades");
        status = take_scope(notice, then, (uint8_t)notice->earlier_count, &missed, told, error);
        notice->grades = now;
    }
    scope_close(then);
    free(missed.ids);
    return status;
}

enum status notice_earlier_read(struct casework *casework, struct notice *notice, bool *skip,
                                struct error *error)
{
    const struct scope *scope = notice->scope;
    if (notice->number <= 1)
        return STATUS_OK;
    struct told *told = calloc(scope->person_count + 1, sizeof *told);
    notice->told = calloc(scope->person_count + 1, sizeof *notice->told);
    enum status status = told != NULL && notice->told != NULL
                             ? STATUS_OK
                             : error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    for (int64_t number = 1; number < notice->number && status == STATUS_OK; number++)
        status = take_notice(casework, notice, number, told, error);
    for (size_t i = 0; i < scope->person_count && status == STATUS_OK; i++) {
        const struct scope_person *person = &scope->people[i];
        if (told[i].notice == 0 || !scope_notified(scope, person, notice->grades))
            continue;
        struct notice_class *class = notice_class_of(notice, person);
        status = notice_class_make(notice, scope, person, class, error);
        notice->told[i] = told[i].notice;
        skip[i] = status == STATUS_OK &&
                  !is_news(&told[i], class, (person->flags & SCOPE_CONFIRMED) != 0);
        notice->told_already += skip[i];
    }
    free(told);
    return status;
}

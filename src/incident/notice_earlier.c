/* What earlier notices of the incident told whom, from their phases' scopes: a new notice goes to
 * people who had none, and to those of whom more is known than they were told. */
#include <stdlib.h>

#include "incident/notice_private.h"

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
                              struct told *told, struct error *error)
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
            at == now->person_count || !same_person(&now->people[at], person))
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
    int64_t incident = notice->scope->incident.number;
    if (notice->earlier_count == 255)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "too many notices of one incident");
    TRY(incidents_get_notice(casework->incidents, incident, number, &notice->arena, &earlier,
                             error));
    struct notice_facts settings;
    TRY(notice_facts_parse(earlier.settings, &notice->arena, &settings, error));
    scope_grades now = notice->grades;
    enum status status = scope_open(casework, incident, earlier.phase, &then, error);
    if (status == STATUS_OK) {
        notice->earlier_ns[notice->earlier_count++] = earlier.approved_ns;
        notice->grades = (scope_grades)notice_fact_time(&settings, "grades");
        status = take_scope(notice, then, (uint8_t)notice->earlier_count, told, error);
        notice->grades = now;
    }
    scope_close(then);
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

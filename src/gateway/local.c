/* Statements that the gateway answers itself: SHOW cofferdam.… */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/session.h"

static const char *const budget_columns[] = {"limit", "used", "of", "left", "window"};
enum { BUDGET_COLUMNS = sizeof budget_columns / sizeof budget_columns[0] };

static bool is_budget(const struct plan *plan)
{
    return strcmp(plan->setting, "cofferdam.budget") == 0;
}

void local_description(const struct plan *plan, struct buffer *out)
{
    if (plan->kind == PLAN_RENEW)
        wire_put_text_row_description(out, plan->visible_names, plan->visible_count);
    else if (plan->kind != PLAN_LOCAL)
        wire_put_empty(out, 'n');
    else if (is_budget(plan))
        wire_put_text_row_description(out, budget_columns, BUDGET_COLUMNS);
    else
        wire_put_text_row_description(out, &plan->setting, 1);
}

static void budget_row(struct buffer *out, const char *limit, uint64_t used, uint64_t of,
                       const char *window)
{
    char used_text[24], of_text[24], left_text[24];
    snprintf(used_text, sizeof used_text, "%llu", (unsigned long long)used);
    snprintf(of_text, sizeof of_text, "%llu", (unsigned long long)of);
    snprintf(left_text, sizeof left_text, "%llu", (unsigned long long)(of > used ? of - used : 0));
    const char *cells[BUDGET_COLUMNS] = {limit, used_text, of == 0 ? NULL : of_text,
                                         of == 0 ? NULL : left_text, window};
    wire_put_text_row(out, cells, BUDGET_COLUMNS);
}

static bool limits_of_calendar(const struct exposure_limit *limit)
{
    return strcmp(limit->window, "day") == 0 || strcmp(limit->window, "week") == 0 ||
           strcmp(limit->window, "month") == 0;
}

static void budget_rows(struct session *session, struct buffer *out)
{
    const struct policy_budget *limits = &session->partner->budget;
    struct exposure_budget used;
    struct exposure_limit people[EXPOSURE_LIMITS];
    struct exposure *exposure = session->worker->server->exposure;
    int64_t now_ns = clock_now_ns();
    const char *zone = limits->zone_name == NULL ? "UTC" : limits->zone_name;
    char day[96], window[96];
    exposure_budget(exposure, session->partner, now_ns, &used);
    size_t count = exposure_limits(exposure, session->partner, now_ns, people);
    snprintf(day, sizeof day, "day (%.64s)", zone);
    for (size_t i = 0; i < count; i++) {
        bool calendar = i != 1 && limits_of_calendar(&people[i]);
        snprintf(window, sizeof window, calendar ? "%s (%.64s)" : "%s",
                 i == 1 ? "in total" : people[i].window, zone);
        budget_row(out, i < 2 ? "distinct subjects" : people[i].name, people[i].used, people[i].of,
                   window);
    }
    budget_row(out, "rows", 0, limits->rows_per_statement, "statement");
    budget_row(out, "probes", used.probes_today, limits->probes_per_day, day);
    budget_row(out, "data errors", used.errors_today, limits->errors_per_day, day);
}

static void dataset_rows(struct session *session, struct buffer *out)
{
    for (size_t i = 0; i < session->partner->grant_count; i++) {
        const struct policy_grant *grant = &session->partner->grants[i];
        if (grant->agent != NULL && strcmp(grant->agent, session->agent->name) != 0)
            continue;
        const char *name = session->snapshot->policy->datasets[grant->dataset].name;
        wire_put_text_row(out, &name, 1);
    }
}

void local_rows(struct session *session, const struct plan *plan, struct buffer *out)
{
    if (is_budget(plan))
        budget_rows(session, out);
    else if (strcmp(plan->setting, "cofferdam.datasets") == 0)
        dataset_rows(session, out);
    else if (strcmp(plan->setting, "cofferdam.reason") == 0)
        wire_put_text_row(out, &(const char *){session->reason}, 1);
    else if (plan->setting_value != NULL) /* the plan knows: its key holds agent and purpose */
        wire_put_text_row(out, &plan->setting_value, 1);
    wire_put_command_complete(out, "SHOW");
}

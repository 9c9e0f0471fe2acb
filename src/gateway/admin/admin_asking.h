/* Admin commands, shared between their files: a command as words, and the answers. Private to
 * gateway/. An answer fills an unopened table on STATUS_OK. */
#ifndef COFFERDAM_GATEWAY_ADMIN_ASKING_H
#define COFFERDAM_GATEWAY_ADMIN_ASKING_H

#include "gateway/admin/admin.h"

enum {
    ADMIN_MAX_WORDS = 32,
    ADMIN_TABLE_BYTES = 128 * 1024 * 1024,
};

/* A command, cut into words; a quoted one keeps its case and may be empty. */
struct words {
    char *text[ADMIN_MAX_WORDS];
    bool quoted[ADMIN_MAX_WORDS];
    size_t count;
    struct arena arena;
};

struct asking {
    struct server *server;
    const char *by;
    int64_t arrived_ns; /* monotonic: when the command had been read */
    const struct words *words;
    size_t at; /* words that the pattern has taken */
};

/* 42601 with where to read on. */
enum status admin_syntax(struct error *error, const char *text);
/* The value behind an option's name ("PARTNER 'p'"); NULL where it is not given. */
const char *admin_option(const struct asking *asking, const char *name);
/* A row of a two-column table (property, value); value NULL is SQL NULL. */
void admin_property(struct table *table, const char *name, const char *value);

/* ---- admin_show.c ---- */
/* Says since when the table's totals of all time count; nothing where no entries were dropped. */
void admin_tell_since(const struct asking *asking, struct table *table);
enum status admin_show_backoff(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_sessions(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_partners(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_partner(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_containment(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_stats(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_tls(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_version(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_budget.c ---- */
enum status admin_show_budget(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_raises(struct asking *asking, struct table *table, struct error *error);
enum status admin_raise_budget(struct asking *asking, struct table *table, struct error *error);
enum status admin_approve_budget(struct asking *asking, struct table *table, struct error *error);
enum status admin_revoke_budget(struct asking *asking, struct table *table, struct error *error);
/* Takes back everything of a partner that is proposed or in force, since it is contained; returns
 * how many. Any thread but the workers'. */
size_t admin_close_raises(struct server *server, const char *partner, const char *by);

/* ---- admin_revoke.c ---- */
enum status admin_revoke_credential(struct asking *asking, struct table *table,
                                    struct error *error);
enum status admin_record_issued(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_revoked(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_crl.c ---- */
enum status admin_show_crls(struct asking *asking, struct table *table, struct error *error);
enum status admin_reset_crl(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_anomaly.c ---- */
enum status admin_show_anomalies(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_request.c ---- */
enum status admin_show_requests(struct asking *asking, struct table *table, struct error *error);
enum status admin_approve_request(struct asking *asking, struct table *table, struct error *error);
enum status admin_deny_request(struct asking *asking, struct table *table, struct error *error);
enum status admin_revoke_request(struct asking *asking, struct table *table, struct error *error);
/* Now and then: what nobody decides on, and what is long over. */
void admin_prune_requests(struct server *server);

/* ---- admin_exposure.c ---- */
enum status admin_show_exposure(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_written(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_categories(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_combinations(struct asking *asking, struct table *table,
                                    struct error *error);
enum status admin_show_never(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_net(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_overlap(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_statements(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_subject(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_ledger.c ---- */
enum status admin_show_ledger(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_disclosed(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_cutoff(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_since(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_key.c ---- */
enum status admin_show_keys(struct asking *asking, struct table *table, struct error *error);
enum status admin_rotate_key(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_act.c ---- */
enum status admin_contain(struct asking *asking, struct table *table, struct error *error);
enum status admin_contain_all(struct asking *asking, struct table *table, struct error *error);
enum status admin_restore(struct asking *asking, struct table *table, struct error *error);
enum status admin_reload_policy(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_record.c ---- */
enum status admin_record_act(struct asking *asking, struct table *table, struct error *error);
enum status admin_record_read(struct asking *asking, struct table *table, struct error *error);
enum status admin_record_deletion(struct asking *asking, struct table *table, struct error *error);
enum status admin_declare_export(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_erase.c ---- */
enum status admin_erase_subject(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_retain.c ---- */
enum status admin_retain(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_retention(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_never.c ---- */
enum status admin_commit_never(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_delivery.c, admin_canaries.c ---- */
enum status admin_delivery_open(struct asking *asking, struct table *table, struct error *error);
enum status admin_delivery_canaries(struct asking *asking, struct table *table,
                                    struct error *error);
enum status admin_delivery_close(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_deliveries(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_delivery(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_alarm.c ---- */
enum status admin_show_alarms(struct asking *asking, struct table *table, struct error *error);
enum status admin_show_alarm(struct asking *asking, struct table *table, struct error *error);
enum status admin_acknowledge_alarm(struct asking *asking, struct table *table,
                                    struct error *error);
enum status admin_test_alarms(struct asking *asking, struct table *table, struct error *error);
enum status admin_report_mail(struct asking *asking, struct table *table, struct error *error);

/* ---- admin_explain.c ---- */
enum status admin_explain(struct asking *asking, struct table *table, struct error *error);

enum { ADMIN_SELECTION_ROOM = 400 };
/* What a limit counts: "phone, clear, agent sync"; "" for all. */
void admin_limit_selection(const struct policy_limit *limit,
                           char text[static ADMIN_SELECTION_ROOM]);

#endif

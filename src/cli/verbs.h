/* The verbs: one constant each, in verb_<name>.c. */
#ifndef COFFERDAM_CLI_VERBS_H
#define COFFERDAM_CLI_VERBS_H

#include "cli/cli.h"

extern const struct cli_command verb_agent_backoff;
extern const struct cli_command verb_agent_passwd;
extern const struct cli_command verb_alarm_acknowledge;
extern const struct cli_command verb_alarm_list;
extern const struct cli_command verb_alarm_show;
extern const struct cli_command verb_alarm_test;
extern const struct cli_command verb_anomaly_show;
extern const struct cli_command verb_anomaly_test;
extern const struct cli_command verb_budget;
extern const struct cli_command verb_budget_approve;
extern const struct cli_command verb_budget_raise;
extern const struct cli_command verb_budget_raises;
extern const struct cli_command verb_cert_ca;
extern const struct cli_command verb_cert_crl;
extern const struct cli_command verb_cert_issue;
extern const struct cli_command verb_cert_list;
extern const struct cli_command verb_cert_revoke;
extern const struct cli_command verb_cert_revoked;
extern const struct cli_command verb_cert_server;
extern const struct cli_command verb_cert_show;
extern const struct cli_command verb_check;
extern const struct cli_command verb_drill;
extern const struct cli_command verb_erase;
extern const struct cli_command verb_explain;
extern const struct cli_command verb_attest;
extern const struct cli_command verb_export;
extern const struct cli_command verb_exposure_declare;
extern const struct cli_command verb_exposure_deletion;
extern const struct cli_command verb_exposure_net;
extern const struct cli_command verb_exposure_overlap;
extern const struct cli_command verb_exposure_rebuild;
extern const struct cli_command verb_exposure_show;
extern const struct cli_command verb_exposure_statements;
extern const struct cli_command verb_gateway;
extern const struct cli_command verb_grants;
extern const struct cli_command verb_incident_close;
extern const struct cli_command verb_incident_decide;
extern const struct cli_command verb_incident_fact;
extern const struct cli_command verb_incident_lint;
extern const struct cli_command verb_incident_list;
extern const struct cli_command verb_incident_log;
extern const struct cli_command verb_incident_notify;
extern const struct cli_command verb_incident_open;
extern const struct cli_command verb_incident_publish;
extern const struct cli_command verb_incident_reopen;
extern const struct cli_command verb_incident_report;
extern const struct cli_command verb_incident_reported;
extern const struct cli_command verb_incident_scope;
extern const struct cli_command verb_incident_show;
extern const struct cli_command verb_incident_statement;
extern const struct cli_command verb_incident_verify;
extern const struct cli_command verb_ledger_backup;
extern const struct cli_command verb_ledger_commit;
extern const struct cli_command verb_ledger_retain;
extern const struct cli_command verb_ledger_export;
extern const struct cli_command verb_ledger_prove;
extern const struct cli_command verb_ledger_restore;
extern const struct cli_command verb_ledger_serve;
extern const struct cli_command verb_ledger_key;
extern const struct cli_command verb_ledger_tail;
extern const struct cli_command verb_ledger_verify;
extern const struct cli_command verb_ledger_witness;
extern const struct cli_command verb_partner_contain;
extern const struct cli_command verb_partner_kit;
extern const struct cli_command verb_partner_list;
extern const struct cli_command verb_partner_restore;
extern const struct cli_command verb_partner_show;
extern const struct cli_command verb_oidc_check;
extern const struct cli_command verb_policy_diff;
extern const struct cli_command verb_policy_unused;
extern const struct cli_command verb_portal;
extern const struct cli_command verb_reload;
extern const struct cli_command verb_sessions;
extern const struct cli_command verb_stats;
extern const struct cli_command verb_tls;
extern const struct cli_command verb_subject;
extern const struct cli_command verb_trace;
extern const struct cli_command verb_version;
extern const struct cli_command verb_worker;

#endif

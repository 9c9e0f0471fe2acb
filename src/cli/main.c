/* cofferdam: one program, a verb for each thing it can do. This table is all of it. */
#include "cli/cli.h"
#include "cli/verbs.h"

#include <locale.h>

static const struct cli_verb verbs[] = {
    {"gateway", NULL, &verb_gateway, "run the gateway"},
    {"check", NULL, &verb_check, "judge the policy against the live database"},
    {"grants", NULL, &verb_grants, "print the SQL that gives the gateway's role its rights"},
    {"explain", NULL, &verb_explain, "tell what a statement of an agent would become"},
    {"reload", NULL, &verb_reload, "take the changed policy into force"},
    {"sessions", NULL, &verb_sessions, "list the sessions"},
    {"budget", NULL, &verb_budget, "show how much of their budgets partners have used"},
    {"budget", "raise", &verb_budget_raise, "propose to raise a limit for a time, or revoke that"},
    {"budget", "approve", &verb_budget_approve, "approve what a colleague has proposed"},
    {"budget", "raises", &verb_budget_raises, "list the raises that are proposed or in force"},
    {"stats", NULL, &verb_stats, "show the gateway's counters"},
    {"exposure", "show", &verb_exposure_show, "count the people disclosed, by what was disclosed"},
    {"exposure", "declare", &verb_exposure_declare, "tell of what a partner got elsewhere"},
    {"exposure", "deletion", &verb_exposure_deletion, "tell of a deletion that a partner attests"},
    {"export", NULL, &verb_export, "write a file for a partner, as if it had asked"},
    {"incident", "open", &verb_incident_open, "contain a breached partner, start the clocks"},
    {"incident", "list", &verb_incident_list, "list the incidents"},
    {"incident", "show", &verb_incident_show, "tell how an incident stands"},
    {"incident", "scope", &verb_incident_scope, "tell whose data the partner had, and which"},
    {"incident", "lint", &verb_incident_lint, "check templates of notices"},
    {"incident", "fact", &verb_incident_fact, "tell the case what people know"},
    {"incident", "decide", &verb_incident_decide, "write a decision into the log"},
    {"incident", "notify", &verb_incident_notify, "tell each person what was taken"},
    {"incident", "log", &verb_incident_log, "show who decided what, and why"},
    {"incident", "statement", &verb_incident_statement, "draft or check the public statement"},
    {"incident", "publish", &verb_incident_publish, "write what the portal serves"},
    {"incident", "report", &verb_incident_report, "fill in an authority's form"},
    {"incident", "reported", &verb_incident_reported, "record a report filed with an authority"},
    {"incident", "close", &verb_incident_close, "close an incident, and write its dossier"},
    {"incident", "reopen", &verb_incident_reopen, "go on with a closed incident"},
    {"incident", "verify", &verb_incident_verify, "hold a case against the ledger"},
    {"trace", NULL, &verb_trace, "tell whose copy a leaked sample can have come from"},
    {"subject", NULL, &verb_subject, "tell what partners have had of one person"},
    {"erase", NULL, &verb_erase, "forget who a number in the ledger stands for"},
    {"partner", "list", &verb_partner_list, "list the partners"},
    {"partner", "show", &verb_partner_show, "tell about a partner"},
    {"partner", "kit", &verb_partner_kit, "make what an agent needs to connect"},
    {"partner", "contain", &verb_partner_contain, "cut a partner or an agent off, now"},
    {"partner", "restore", &verb_partner_restore, "let a contained partner or agent in again"},
    {"agent", "passwd", &verb_agent_passwd, "set the password of a machine account"},
    {"cert", "ca", &verb_cert_ca, "make a certificate authority"},
    {"cert", "server", &verb_cert_server, "issue the gateway's certificate"},
    {"cert", "issue", &verb_cert_issue, "issue an agent's certificate"},
    {"ledger", "key", &verb_ledger_key, "show or change the key that signs the ledger"},
    {"ledger", "commit", &verb_ledger_commit,
     "index who was disclosed, for proofs of non-exposure"},
    {"ledger", "tail", &verb_ledger_tail, "show the newest entries of the ledger"},
    {"ledger", "backup", &verb_ledger_backup, "copy the ledger, beside the running gateway"},
    {"ledger", "restore", &verb_ledger_restore, "make a backup the ledger again"},
    {"ledger", "export", &verb_ledger_export, "write the ledger as CSV or JSON lines"},
    {"ledger", "prove", &verb_ledger_prove,
     "prove that an entry is in it, or an older log its beginning"},
    {"ledger", "serve", &verb_ledger_serve, "serve the published log to verifiers"},
    {"ledger", "verify", &verb_ledger_verify, "tell whether the ledger is what was written"},
    {"ledger", "witness", &verb_ledger_witness, "have others cosign what the ledger says"},
    {"portal", NULL, &verb_portal, "serve the public page after a breach"},
    {"worker", NULL, &verb_worker, "answer who asks on the public page, read delivery notices"},
    {"drill", NULL, &verb_drill, "practise a breach in an invented world, timed"},
    {"version", NULL, &verb_version, "print the version"},
    {NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* widths of characters in tables */
    return cli_main(verbs, argc, argv);
}

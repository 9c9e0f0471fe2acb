/* Admin commands: a table of patterns, one function each.
 *   SHOW SESSIONS | BACKOFF | PARTNERS | PARTNER 'p' | CONTAINMENT | REVOKED | BUDGET | STATS | TLS
 *   SHOW VERSION | LEDGER [LAST n] [AFTER seq] | DISCLOSED AFTER seq | SUBJECT 'kind' 'key'
 *   SHOW EXPOSURE | WRITTEN | CATEGORIES | COMBINATIONS | NEVER [PARTNER 'p'] [FROM 't'] [TO 't']
 *   SHOW NET [PARTNER 'p'] | OVERLAP PARTNER 'p' WITH 'q' [FROM 't'] [TO 't'] | CUTOFF | KEYS
 *   CONTAIN | RESTORE PARTNER 'p' [AGENT 'a'] [CREDENTIAL 'id'] REASON 'r' ; CONTAIN ALL REASON 'r'
 *   RECORD ACT 'text' [PARTNER 'p'] [BY 'who'] | READ KIND 'k' COLUMNS 'd.c,…' IDS '1' …
 *   DECLARE EXPORT PARTNER 'p' KIND 'k' COLUMNS 'd.c:form,…' AT 't' REASON 'r' KEYS 'a line each'
 *   RECORD DELETION PARTNER 'p' BEFORE 't' REQUEST 'id' METHOD 'm' [KIND 'k' KEYS '…'] …
 *   ERASE SUBJECT 'kind' 'key' REASON 'r' ; COMMIT NEVER ENTRIES 'n' ROOT 'hex' …
 *   RAISE BUDGET PARTNER 'p' LIMIT 'l' TO '9' UNTIL 't' REASON 'r' ; SHOW RAISES [PARTNER 'p']
 *   APPROVE | REVOKE BUDGET ID '1' … ; REVOKE CREDENTIAL 'id' … ; EXPLAIN AGENT 'p.a' 'sql' */
#include "gateway/admin/admin_asking.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "policy/suggest.h"

/* With room for the words' edges beside ADMIN_CLIENT_COMMAND_BYTES of text. */
enum { COMMAND_BYTES = 256 * 1024 };

enum status admin_syntax(struct error *error, const char *text)
{
    return error_set(error, STATUS_DENIED, "42601", "see cofferdam(1), \"ADMIN DATABASE\"", "%s",
                     text);
}

/* Bytes between the quotes of the word at `at`, doubled ones counted once; SIZE_MAX: no end. */
static size_t quoted_bytes(const char *at)
{
    size_t len = 0;
    for (const char *c = at + 1; *c != '\0'; c++, len++) {
        if (*c == '\'' && c[1] != '\'')
            return len;
        c += *c == '\'';
    }
    return SIZE_MAX;
}

/* 'it''s' from *at on; leaves *at behind the closing quote. */
static enum status quoted_word(const char **at, struct words *words, struct error *error)
{
    size_t len = quoted_bytes(*at);
    if (len == SIZE_MAX)
        return admin_syntax(error, "unterminated quoted text");
    char *word = arena_alloc(&words->arena, len + 1);
    const char *c = *at + 1;
    if (word == NULL)
        return admin_syntax(error, "the command is too long");
    for (size_t i = 0; i < len; i++, c++) {
        c += *c == '\'';
        word[i] = *c;
    }
    word[len] = '\0';
    words->quoted[words->count] = true;
    words->text[words->count++] = word;
    *at = c + 1;
    return STATUS_OK;
}

static enum status cut_words(const char *text, struct words *words, struct error *error)
{
    const char *at = text;
    for (;;) {
        while (isspace((unsigned char)*at) || *at == ';')
            at++;
        if (*at == '\0')
            return STATUS_OK;
        if (words->count == ADMIN_MAX_WORDS)
            return admin_syntax(error, "too many words");
        if (*at == '\'') {
            TRY(quoted_word(&at, words, error));
            continue;
        }
        const char *begin = at;
        while (*at != '\0' && !isspace((unsigned char)*at) && *at != ';' && *at != '\'')
            at++;
        char *word = arena_copy(&words->arena, begin, (size_t)(at - begin));
        if (word == NULL)
            return admin_syntax(error, "the command is too long");
        words->text[words->count++] = word;
    }
}

static bool word_is(const struct words *words, size_t at, const char *name)
{
    return at < words->count && !words->quoted[at] && strcasecmp(words->text[at], name) == 0;
}

/* The value behind an option's name ("PARTNER 'p'"); NULL where it is not given. */
const char *admin_option(const struct asking *asking, const char *name)
{
    const struct words *words = asking->words;
    for (size_t i = asking->at; i + 1 < words->count; i++)
        if (word_is(words, i, name))
            return words->text[i + 1];
    return NULL;
}

static const struct {
    const char *words[3];
    const char *tag;
    enum status (*run)(struct asking *asking, struct table *table, struct error *error);
    size_t taken; /* words before the options */
} commands[] = {
    {{"SHOW", "SESSIONS"}, "SHOW", admin_show_sessions, 2},
    {{"SHOW", "BACKOFF"}, "SHOW", admin_show_backoff, 2},
    {{"SHOW", "PARTNERS"}, "SHOW", admin_show_partners, 2},
    {{"SHOW", "PARTNER"}, "SHOW", admin_show_partner, 1},
    {{"SHOW", "CONTAINMENT"}, "SHOW", admin_show_containment, 2},
    {{"SHOW", "EXPOSURE"}, "SHOW", admin_show_exposure, 2},
    {{"SHOW", "WRITTEN"}, "SHOW", admin_show_written, 2},
    {{"SHOW", "CATEGORIES"}, "SHOW", admin_show_categories, 2},
    {{"SHOW", "COMBINATIONS"}, "SHOW", admin_show_combinations, 2},
    {{"SHOW", "NEVER"}, "SHOW", admin_show_never, 2},
    {{"SHOW", "NET"}, "SHOW", admin_show_net, 2},
    {{"SHOW", "OVERLAP"}, "SHOW", admin_show_overlap, 2},
    {{"SHOW", "STATEMENTS"}, "SHOW", admin_show_statements, 2},
    {{"SHOW", "SUBJECT"}, "SHOW", admin_show_subject, 2},
    {{"SHOW", "LEDGER"}, "SHOW", admin_show_ledger, 2},
    {{"SHOW", "DISCLOSED"}, "SHOW", admin_show_disclosed, 2},
    {{"SHOW", "CUTOFF"}, "SHOW", admin_show_cutoff, 2},
    {{"SHOW", "SINCE"}, "SHOW", admin_show_since, 2},
    {{"SHOW", "KEYS"}, "SHOW", admin_show_keys, 2},
    {{"SHOW", "BUDGET"}, "SHOW", admin_show_budget, 2},
    {{"SHOW", "ANOMALIES"}, "SHOW", admin_show_anomalies, 2},
    {{"SHOW", "RAISES"}, "SHOW", admin_show_raises, 2},
    {{"SHOW", "REQUESTS"}, "SHOW", admin_show_requests, 2},
    {{"APPROVE", "REQUEST"}, "APPROVE", admin_approve_request, 2},
    {{"DENY", "REQUEST"}, "DENY", admin_deny_request, 2},
    {{"REVOKE", "REQUEST"}, "REVOKE", admin_revoke_request, 2},
    {{"RAISE", "BUDGET"}, "RAISE", admin_raise_budget, 2},
    {{"APPROVE", "BUDGET"}, "APPROVE", admin_approve_budget, 2},
    {{"REVOKE", "BUDGET"}, "REVOKE", admin_revoke_budget, 2},
    {{"REVOKE", "CREDENTIAL"}, "REVOKE", admin_revoke_credential, 1},
    {{"RECORD", "ISSUED"}, "RECORD", admin_record_issued, 2},
    {{"SHOW", "REVOKED"}, "SHOW", admin_show_revoked, 2},
    {{"SHOW", "CRLS"}, "SHOW", admin_show_crls, 2},
    {{"RESET", "CRL"}, "RESET", admin_reset_crl, 2},
    {{"SHOW", "TLS"}, "SHOW", admin_show_tls, 2},
    {{"SHOW", "STATS"}, "SHOW", admin_show_stats, 2},
    {{"SHOW", "VERSION"}, "SHOW", admin_show_version, 2},
    {{"CONTAIN", "PARTNER"}, "CONTAIN", admin_contain, 1},
    {{"CONTAIN", "ALL"}, "CONTAIN", admin_contain_all, 2},
    {{"RESTORE", "PARTNER"}, "RESTORE", admin_restore, 1},
    {{"ROTATE", "KEY"}, "ROTATE", admin_rotate_key, 2},
    {{"RECORD", "ACT"}, "RECORD", admin_record_act, 1},
    {{"RECORD", "READ"}, "RECORD", admin_record_read, 2},
    {{"RECORD", "DELETION"}, "RECORD", admin_record_deletion, 2},
    {{"DECLARE", "EXPORT"}, "DECLARE", admin_declare_export, 2},
    {{"COMMIT", "NEVER"}, "COMMIT", admin_commit_never, 2},
    {{"RETAIN"}, "RETAIN", admin_retain, 1},
    {{"SHOW", "RETENTION"}, "SHOW", admin_show_retention, 2},
    {{"ERASE", "SUBJECT"}, "ERASE", admin_erase_subject, 2},
    {{"SHOW", "DELIVERIES"}, "SHOW", admin_show_deliveries, 2},
    {{"SHOW", "DELIVERY"}, "SHOW", admin_show_delivery, 2},
    {{"DELIVERY", "OPEN"}, "DELIVERY", admin_delivery_open, 2},
    {{"DELIVERY", "CANARIES"}, "DELIVERY", admin_delivery_canaries, 2},
    {{"DELIVERY", "CLOSE"}, "DELIVERY", admin_delivery_close, 2},
    {{"SHOW", "ALARMS"}, "SHOW", admin_show_alarms, 2},
    {{"SHOW", "ALARM"}, "SHOW", admin_show_alarm, 2},
    {{"ACKNOWLEDGE", "ALARM"}, "ACKNOWLEDGE", admin_acknowledge_alarm, 2},
    {{"REPORT", "MAIL"}, "REPORT", admin_report_mail, 2},
    {{"TEST", "ALARMS"}, "TEST", admin_test_alarms, 2},
    {{"EXPLAIN", "AGENT"}, "EXPLAIN", admin_explain, 2},
    {{"RELOAD"}, "RELOAD", admin_reload_policy, 1},
};

static enum status unknown_command(const struct words *words, struct error *error)
{
    enum { COUNT = sizeof commands / sizeof commands[0], NAME_ROOM = 40 };
    char names[COUNT][NAME_ROOM], given[NAME_ROOM], hint[NAME_ROOM + 40];
    const char *known[COUNT + 1] = {NULL};
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], NAME_ROOM, "%s%s%s", commands[i].words[0],
                 commands[i].words[1] == NULL ? "" : " ",
                 commands[i].words[1] == NULL ? "" : commands[i].words[1]);
        known[i] = names[i];
    }
    snprintf(given, sizeof given, "%s%s%s", words->count == 0 ? "" : words->text[0],
             words->count < 2 ? "" : " ", words->count < 2 ? "" : words->text[1]);
    for (char *c = given; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    const char *nearest = suggest_nearest(given, known);
    if (nearest == NULL)
        snprintf(hint, sizeof hint, "cofferdam(1), ADMIN DATABASE, has them all");
    else
        snprintf(hint, sizeof hint, "did you mean %s?", nearest);
    return error_set(error, STATUS_DENIED, "42601", hint, "unknown command");
}

static enum status run_words(struct asking *asking, struct table *table, const char **tag,
                             struct error *error)
{
    const struct words *words = asking->words;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        bool matches = true;
        for (size_t w = 0; w < 3 && commands[i].words[w] != NULL; w++)
            matches = matches && word_is(words, w, commands[i].words[w]);
        if (!matches)
            continue;
        asking->at = commands[i].taken;
        *tag = commands[i].tag;
        return commands[i].run(asking, table, error);
    }
    return unknown_command(words, error);
}

enum status admin_command(struct server *server, const char *text, const char *by,
                          struct table *table, const char **tag, struct error *error)
{
    struct words words = {.count = 0};
    arena_init(&words.arena, COMMAND_BYTES);
    struct asking asking = {
        .server = server, .by = by, .arrived_ns = clock_monotonic_ns(), .words = &words};
    enum status status = cut_words(text, &words, error);
    if (status == STATUS_OK)
        status = run_words(&asking, table, tag, error);
    arena_free(&words.arena);
    return status;
}

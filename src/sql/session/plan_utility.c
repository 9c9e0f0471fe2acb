/* Statements that read no data: transactions, SET, SHOW, DISCARD; the way of the others to their
 * files; and the refusal, by name, of what nobody may do.
 * Only settings that change how a value is written, or that make the session stricter, may be set:
 * masks and row filters are immutable, so no setting changes what they show. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/session/plan_session.h"

enum rule {
    RULE_ANY,
    RULE_UTF8,
    RULE_ON,
    RULE_TIMEOUT,   /* a positive duration */
    RULE_STATEMENT, /* a positive duration within the gateway's own */
    RULE_ISOLATION,
    RULE_READ_ONLY,
    RULE_PATH,   /* search_path: public, and nothing happens */
    RULE_SHOW,   /* cannot be set */
    RULE_LOCAL,  /* cannot be set; the gateway answers */
    RULE_REASON, /* cofferdam.reason: the gateway keeps it */
};

static const struct setting {
    const char *name; /* as PostgreSQL spells it */
    enum rule rule;
} settings[] = {
    {"application_name", RULE_ANY},
    {"client_encoding", RULE_UTF8},
    {"client_min_messages", RULE_ANY},
    {"DateStyle", RULE_ANY},
    {"IntervalStyle", RULE_ANY},
    {"TimeZone", RULE_ANY},
    {"extra_float_digits", RULE_ANY},
    {"bytea_output", RULE_ANY},
    {"standard_conforming_strings", RULE_ON},
    {"statement_timeout", RULE_STATEMENT},
    {"lock_timeout", RULE_TIMEOUT},
    {"idle_in_transaction_session_timeout", RULE_TIMEOUT},
    {"default_transaction_isolation", RULE_ISOLATION},
    {"transaction_isolation", RULE_ISOLATION},
    {"default_transaction_read_only", RULE_READ_ONLY},
    {"transaction_read_only", RULE_READ_ONLY},
    {"search_path", RULE_PATH},
    {"server_version", RULE_SHOW},
    {"server_version_num", RULE_SHOW},
    {"server_encoding", RULE_SHOW},
    {"integer_datetimes", RULE_SHOW},
    {"max_identifier_length", RULE_SHOW},
    {"is_superuser", RULE_LOCAL},
    {"session_authorization", RULE_LOCAL},
    {"cofferdam.budget", RULE_LOCAL},
    {"cofferdam.partner", RULE_LOCAL},
    {"cofferdam.agent", RULE_LOCAL},
    {"cofferdam.purpose", RULE_LOCAL},
    {"cofferdam.datasets", RULE_LOCAL},
    {"cofferdam.reason", RULE_REASON},
};

static const struct setting *find_setting(const char *name)
{
    for (size_t i = 0; name != NULL && i < lengthof(settings); i++)
        if (strcasecmp(settings[i].name, name) == 0)
            return &settings[i];
    return NULL;
}

static enum status refuse_setting(struct build *build, const char *name)
{
    if (strcasecmp(name, "cofferdam.purpose") == 0)
        return plan_refuse(build, "42501", "connect again with options='-c cofferdam.purpose=…'",
                           "a session has one purpose, which is stated when it begins");
    return plan_refuse(build, "42501",
                       "application_name, client_encoding, DateStyle, IntervalStyle, TimeZone, "
                       "extra_float_digits, bytea_output, cofferdam.reason and the timeouts can be "
                       "set; SHOW has these, cofferdam.purpose and cofferdam.budget too.",
                       "setting \"%s\" is not available", name);
}

static const char *constant_text(const Node *node)
{
    if (!IsA(node, A_Const) || ((const A_Const *)node)->isnull)
        return NULL;
    const A_Const *constant = (const A_Const *)node;
    switch (nodeTag(&constant->val)) {
    case T_Integer:
        return psprintf("%d", constant->val.ival.ival);
    case T_Float:
        return constant->val.fval.fval;
    case T_String:
        return constant->val.sval.sval;
    default:
        return NULL;
    }
}

/* "ISO, MDY": the values, joined. */
static enum status joined_values(struct build *build, const VariableSetStmt *set, const char **out)
{
    const char *text = NULL;
    ListCell *cell;
    foreach (cell, set->args) {
        const char *value = constant_text(lfirst(cell));
        if (value == NULL)
            return plan_refuse(build, "0A000", "Write the value as a string.",
                               "this kind of value in SET is not supported");
        text = text == NULL ? value : psprintf("%s, %s", text, value);
    }
    *out = text == NULL ? "" : text;
    return STATUS_OK;
}

/* "30s", "500ms", "2min" or milliseconds; -1 if it is none of these. */
static int64_t duration_ms(const char *text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || value < 0 || value > INT32_MAX)
        return -1;
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < lengthof(units); i++)
        if (strcmp(end, units[i].unit) == 0)
            return value * units[i].ms;
    return -1;
}

static enum status check_timeout(struct build *build, const char *name, const char *value,
                                 uint32_t most_ms)
{
    int64_t ms = duration_ms(value);
    if (ms > 0 && (most_ms == 0 || ms <= most_ms))
        return STATUS_OK;
    char hint[100] = "Give milliseconds, or a number with ms, s, min, h or d.";
    if (most_ms != 0)
        (void)snprintf(hint, sizeof hint, "Give between 1 and %u milliseconds.", most_ms);
    return plan_refuse(build, "42501", hint, "\"%s\" cannot be switched off or set to this", name);
}

static bool one_of(const char *value, const char *const *choices)
{
    for (; *choices != NULL; choices++)
        if (strcasecmp(value, *choices) == 0)
            return true;
    return false;
}

/* "a, b or c" */
static const char *choices_text(const char *const *choices)
{
    const char *text = choices[0];
    for (size_t i = 1; choices[i] != NULL; i++)
        text = psprintf("%s%s%s", text, choices[i + 1] == NULL ? " or " : ", ", choices[i]);
    return text;
}

/* As the database reads names of encodings (its clean_encoding_name): letters and digits count. One
 * widespread driver sends the name with quotes of its own. */
static const char *encoding_name(const char *value)
{
    char *name = palloc(strlen(value) + 1), *end = name;
    for (; *value != '\0'; value++)
        if (isalnum((unsigned char)*value))
            *end++ = *value;
    *end = '\0';
    return name;
}

static enum status check_choice(struct build *build, const struct setting *setting,
                                const char *value)
{
    static const char *const encodings[] = {"UTF8", "UNICODE", NULL};
    static const char *const on[] = {"on", "true", "yes", "1", NULL};
    static const char *const levels[] = {"read uncommitted", "read committed", "repeatable read",
                                         "serializable", NULL};
    static const char *const paths[] = {
        "public", "$user, public", "pg_catalog, public", "public, pg_catalog", "\"$user\", public",
        NULL};
    const char *const *choices = setting->rule == RULE_UTF8        ? encodings
                                 : setting->rule == RULE_ISOLATION ? levels
                                 : setting->rule == RULE_PATH      ? paths
                                                                   : on;
    if (one_of(setting->rule == RULE_UTF8 ? encoding_name(value) : value, choices))
        return STATUS_OK;
    return plan_refuse(build, "42501", psprintf("It can be set to %s.", choices_text(choices)),
                       "\"%s\" cannot be set to this value", setting->name);
}

/* Staff read it: a line of text. */
static enum status check_reason(struct build *build, const char *value)
{
    size_t len = strlen(value);
    for (const unsigned char *c = (const unsigned char *)value; *c != 0; c++) {
        bool is_c1 = c[0] == 0xC2 && c[1] < 0xA0;
        /* U+2028 to 202F and 2060 to 206F break lines and turn the direction of writing. */
        bool turns = c[0] == 0xE2 && ((c[1] == 0x80 && c[2] >= 0xA8 && c[2] < 0xB0) ||
                                      (c[1] == 0x81 && c[2] >= 0xA0 && c[2] < 0xB0));
        if (*c < ' ' || *c == 127 || is_c1 || turns)
            len = SIZE_MAX;
    }
    if (len <= PLAN_REASON_BYTES)
        return STATUS_OK;
    return plan_refuse(build, "22023", "Say in a sentence what the data is needed for.",
                       "a reason is one line of at most %d bytes", PLAN_REASON_BYTES);
}

static enum status check_value(struct build *build, const struct setting *setting,
                               const char *value)
{
    switch (setting->rule) {
    case RULE_ANY:
        return STATUS_OK;
    case RULE_TIMEOUT:
        return check_timeout(build, setting->name, value, 0);
    case RULE_STATEMENT:
        return check_timeout(build, setting->name, value, build->request->statement_timeout_ms);
    case RULE_REASON:
        return check_reason(build, value);
    case RULE_SHOW:
    case RULE_LOCAL:
        return refuse_setting(build, setting->name);
    default:
        return check_choice(build, setting, value);
    }
}

/* Transaction modes: isolation levels, READ ONLY and DEFERRABLE. */
static enum status check_modes(struct build *build, const List *modes)
{
    ListCell *cell;
    foreach (cell, modes) {
        const DefElem *mode = lfirst_node(DefElem, cell);
        if (strcmp(mode->defname, "transaction_read_only") == 0 && IsA(mode->arg, A_Const) &&
            ((A_Const *)mode->arg)->val.ival.ival == 0 &&
            !policy_agent_writes(build->request->partner, build->request->agent))
            return plan_refuse(build, "42501", "Leave READ WRITE out: transactions are read only.",
                               "nothing that is granted to this agent can be written");
    }
    return STATUS_OK;
}

/* "+05:30", up to what a clock can be off: two digits each. */
static bool is_offset(const char *text)
{
    const char *at = text + (*text == '+' || *text == '-');
    return strspn(at, "0123456789:") == 5 && at[5] == '\0' && at[2] == ':' &&
           strchr(at, ':') == strrchr(at, ':') && strcmp(at, "15:59") <= 0 && at[3] <= '5';
}

/* HOUR TO MINUTE, or nothing: any other fields would make another time of the text. */
static bool is_hour_to_minute(const TypeName *type)
{
    enum { MASK = 1 << 10 | 1 << 11 }; /* HOUR and MINUTE of utils/datetime.h */
    const Node *fields = type->typmods == NIL ? NULL : linitial(type->typmods);
    return fields == NULL ||
           (IsA(fields, A_Const) && ((const A_Const *)fields)->val.ival.ival == MASK);
}

/* SET TIME ZONE INTERVAL '+00:00' HOUR TO MINUTE, as Sequelize begins: to PostgreSQL the time zone
 * is then the text "INTERVAL '+00:00'", which stands as a constant in its place. */
static enum status take_interval(struct build *build, VariableSetStmt *set)
{
    const TypeCast *cast = set->args == NIL ? NULL : linitial(set->args);
    if (cast == NULL || !IsA(cast, TypeCast))
        return STATUS_OK;
    const char *offset = constant_text(cast->arg);
    if (offset == NULL || !is_offset(offset) || !is_hour_to_minute(cast->typeName))
        return plan_refuse(build, "0A000", "Write INTERVAL '+01:00' HOUR TO MINUTE, or a name.",
                           "this kind of value in SET is not supported");
    set->args = list_make1(rewrite_text(psprintf("INTERVAL '%s'", offset)));
    return STATUS_OK;
}

static char *keep(struct build *build, const char *text)
{
    return arena_strdup(&build->plan->arena, text);
}

static enum status set_value(struct build *build, VariableSetStmt *set, Node **emitted)
{
    const struct setting *setting = find_setting(set->name);
    const char *value = "";
    if (setting == NULL)
        return refuse_setting(build, set->name);
    TRY(take_interval(build, set));
    TRY(joined_values(build, set, &value));
    TRY(check_value(build, setting, value));
    build->plan->setting = setting->name;
    build->plan->setting_value = keep(build, value);
    bool own = setting->rule == RULE_PATH || setting->rule == RULE_REASON;
    *emitted = own ? NULL : (Node *)set;
    return STATUS_OK;
}

/* Nobody but the agent that has logged in: there is nothing to go back from. */
static bool is_own_identity(const char *name)
{
    return strcmp(name, "session_authorization") == 0;
}

static enum status reset_value(struct build *build, VariableSetStmt *set, Node **emitted)
{
    const struct setting *setting = find_setting(set->name);
    if (is_own_identity(set->name)) {
        *emitted = NULL;
        return STATUS_OK;
    }
    if (setting == NULL || setting->rule == RULE_SHOW || setting->rule == RULE_LOCAL ||
        setting->rule == RULE_REASON)
        return refuse_setting(build, set->name);
    build->plan->setting = setting->name;
    build->plan->resets = !set->is_local;
    *emitted = setting->rule == RULE_PATH ? NULL : (Node *)set;
    return STATUS_OK;
}

static enum status plan_set(struct build *build, VariableSetStmt *set, Node **emitted)
{
    build->plan->kind = PLAN_UTILITY;
    build->plan->command = set->kind == VAR_RESET || set->kind == VAR_RESET_ALL ? "RESET" : "SET";
    switch (set->kind) {
    case VAR_SET_VALUE:
        return set_value(build, set, emitted);
    case VAR_SET_DEFAULT:
    case VAR_RESET:
        return reset_value(build, set, emitted);
    case VAR_SET_MULTI:
        if (strcmp(set->name, "TRANSACTION SNAPSHOT") == 0)
            return refuse_setting(build, set->name);
        return check_modes(build, set->args);
    case VAR_RESET_ALL:
        build->plan->resets = true;
        return STATUS_OK;
    default:
        return plan_refuse(build, "0A000", "Write SET name TO value, or RESET name.",
                           "this form of SET or RESET is not supported");
    }
}

static const char *granted_datasets(struct build *build)
{
    const struct plan_request *request = build->request;
    const char *text = "";
    for (size_t i = 0; i < build->model->dataset_count; i++) {
        const char *name = build->model->datasets[i].policy->name;
        if (model_find_grant(request, name) != NULL)
            text = *text == 0 ? name : psprintf("%s, %s", text, name);
    }
    return text;
}

/* The answer of a setting that the plan knows; NULL where only the gateway does. */
static const char *local_value(struct build *build, const char *name)
{
    const struct plan_request *request = build->request;
    const struct policy_partner *partner = request->partner;
    if (strcmp(name, "is_superuser") == 0)
        return "off";
    if (strcmp(name, "search_path") == 0)
        return "public";
    if (strcmp(name, "session_authorization") == 0)
        return request->agent->login;
    if (strcmp(name, "cofferdam.partner") == 0)
        return partner->name;
    if (strcmp(name, "cofferdam.agent") == 0)
        return request->agent->name;
    if (strcmp(name, "cofferdam.datasets") == 0)
        return granted_datasets(build);
    if (strcmp(name, "cofferdam.purpose") == 0)
        return request->purpose != NULL      ? request->purpose
               : partner->purpose_count == 1 ? partner->purposes[0]
                                             : "";
    return NULL;
}

static enum status plan_show(struct build *build, VariableShowStmt *show, Node **emitted)
{
    struct plan *plan = build->plan;
    const struct setting *setting = find_setting(show->name);
    if (setting == NULL)
        return refuse_setting(build, show->name);
    const char **names = arena_array(&plan->arena, const char *, 1);
    if (names == NULL)
        return STATUS_NOMEM;
    names[0] = setting->name;
    plan->command = "SHOW";
    plan->setting = setting->name;
    plan->visible_names = names;
    plan->visible_count = 1;
    bool local =
        setting->rule == RULE_LOCAL || setting->rule == RULE_PATH || setting->rule == RULE_REASON;
    plan->kind = local ? PLAN_LOCAL : PLAN_SHOW;
    if (!local)
        return STATUS_OK;
    const char *value = local_value(build, setting->name);
    plan->setting_value = value == NULL ? NULL : keep(build, value);
    *emitted = NULL;
    return STATUS_OK;
}

static enum status plan_transaction(struct build *build, TransactionStmt *statement)
{
    static const struct {
        const char *command;
        enum plan_transaction transaction;
    } kinds[] = {
        [TRANS_STMT_BEGIN] = {"BEGIN", PLAN_TRANSACTION_BEGIN},
        [TRANS_STMT_START] = {"START TRANSACTION", PLAN_TRANSACTION_BEGIN},
        [TRANS_STMT_COMMIT] = {"COMMIT", PLAN_TRANSACTION_END},
        [TRANS_STMT_ROLLBACK] = {"ROLLBACK", PLAN_TRANSACTION_END},
        [TRANS_STMT_SAVEPOINT] = {"SAVEPOINT", PLAN_TRANSACTION_SAVEPOINT},
        [TRANS_STMT_RELEASE] = {"RELEASE", PLAN_TRANSACTION_SAVEPOINT},
        [TRANS_STMT_ROLLBACK_TO] = {"ROLLBACK", PLAN_TRANSACTION_SAVEPOINT},
    };
    if ((size_t)statement->kind >= lengthof(kinds))
        return plan_refuse(build, "0A000", "Use COMMIT or ROLLBACK.",
                           "two-phase commit is not supported");
    if (statement->chain)
        return plan_refuse(build, "0A000", "Send BEGIN afterwards.", "AND CHAIN is not supported");
    build->plan->kind = PLAN_UTILITY;
    build->plan->command = kinds[statement->kind].command;
    build->plan->transaction = kinds[statement->kind].transaction;
    if (statement->savepoint_name != NULL)
        build->plan->savepoint = keep(build, statement->savepoint_name);
    return check_modes(build, statement->options);
}

static enum status plan_discard(struct build *build, const DiscardStmt *discard, Node **emitted)
{
    static const char *const commands[] = {[DISCARD_ALL] = "DISCARD ALL",
                                           [DISCARD_PLANS] = "DISCARD PLANS",
                                           [DISCARD_SEQUENCES] = "DISCARD SEQUENCES",
                                           [DISCARD_TEMP] = "DISCARD TEMP"};
    build->plan->kind = PLAN_UTILITY;
    build->plan->command = build->plan->sql = commands[discard->target];
    build->plan->resets = discard->target == DISCARD_ALL;
    *emitted = NULL;
    return STATUS_OK;
}

/* Nobody can LISTEN, so there is nothing to end: but poolers say so. */
static enum status plan_unlisten(struct build *build, Node **emitted)
{
    build->plan->kind = PLAN_UTILITY;
    build->plan->command = "UNLISTEN";
    *emitted = NULL;
    return STATUS_OK;
}

enum status plan_refuse_statement(struct build *build, Node *statement)
{
    static const char alone[] = "Send it as a statement of its own, where it is granted.";
    static const char writes[] =
        "INSERT, UPDATE, DELETE and COPY FROM STDIN change data, where they are granted.";
    static const char within[] = "Nothing can be made: put the query into WITH, or into FROM.";
    static const char owner[] = "Leave definitions to the database's owner.";
    static const char allowed[] =
        "SELECT, COPY, cursors, prepared statements, SET, SHOW and transactions are allowed, and "
        "writes where they are granted.";
    static const struct {
        NodeTag tag;
        const char *what, *hint;
    } known[] = {
        {T_InsertStmt, "INSERT", alone},
        {T_UpdateStmt, "UPDATE", alone},
        {T_DeleteStmt, "DELETE", alone},
        {T_MergeStmt, "MERGE",
         "UPDATE … FROM for the rows that are there, INSERT … ON CONFLICT for the others, where "
         "they are granted."},
        {T_TruncateStmt, "TRUNCATE", writes},
        {T_CreateStmt, "CREATE TABLE", within},
        {T_CreateTableAsStmt, "CREATE TABLE AS", within},
        {T_ViewStmt, "CREATE VIEW", within},
        {T_DropStmt, "DROP", owner},
        {T_AlterTableStmt, "ALTER", owner},
        {T_ExplainStmt, "EXPLAIN",
         "Its answer would tell of data that is not granted: run the statement itself."},
        {T_ListenStmt, "LISTEN", "Notifications are not available."},
        {T_NotifyStmt, "NOTIFY", "Notifications are not available."},
        {T_DoStmt, "DO", allowed},
        {T_CallStmt, "CALL", allowed},
        {T_LockStmt, "LOCK", "Nothing can be locked through the gateway."},
        {T_GrantStmt, "GRANT and REVOKE", "The policy file grants."},
        {T_VacuumStmt, "VACUUM and ANALYZE", "Leave maintenance to the database's owner."},
    };
    for (size_t i = 0; i < lengthof(known); i++)
        if (nodeTag(statement) == known[i].tag)
            return plan_refuse(build, "42501", known[i].hint, "not allowed: %s", known[i].what);
    return plan_refuse(build, "42501", allowed, "this kind of statement is not allowed");
}

enum status plan_utility(struct build *build, Node *statement, Node **emitted)
{
    switch (nodeTag(statement)) {
    case T_DeallocateStmt:
        return plan_deallocate(build, (DeallocateStmt *)statement, emitted);
    case T_PrepareStmt:
        return plan_prepare(build, (PrepareStmt *)statement, emitted);
    case T_ExecuteStmt:
        return plan_execute(build, (ExecuteStmt *)statement, emitted);
    case T_CallStmt:
        return plan_call(build, (CallStmt *)statement, emitted);
    case T_CopyStmt:
        return plan_copy(build, (CopyStmt *)statement, emitted);
    case T_DeclareCursorStmt:
        return plan_declare(build, (DeclareCursorStmt *)statement, emitted);
    case T_FetchStmt:
        return plan_fetch(build, (FetchStmt *)statement, emitted);
    case T_ClosePortalStmt:
        return plan_close(build, (ClosePortalStmt *)statement, emitted);
    case T_DiscardStmt:
        return plan_discard(build, (const DiscardStmt *)statement, emitted);
    case T_UnlistenStmt:
        return plan_unlisten(build, emitted);
    case T_TransactionStmt:
        return plan_transaction(build, (TransactionStmt *)statement);
    case T_VariableSetStmt:
        return plan_set(build, (VariableSetStmt *)statement, emitted);
    case T_VariableShowStmt:
        return plan_show(build, (VariableShowStmt *)statement, emitted);
    default:
        return plan_refuse_statement(build, statement);
    }
}

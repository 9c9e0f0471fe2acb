/* Functions that are refused for good, and why. What is in no list at all is refused as well; these
 * are here for the hint alone. */
#include "sql/allow/allow.h"

#include <string.h>

#define ELSEWHERE  "It reaches another server, past this gateway."
#define FILES      "It reads or writes files of the database server."
#define OBJECTS    "Large objects are in no dataset."
#define SETTINGS   "It changes or reads the session's settings: use SET and SHOW for those allowed."
#define SLEEPS     "It keeps a connection busy for nothing."
#define LOCKS      "Advisory locks would let sessions signal each other or wait."
#define SEQUENCES  "Sequences tell of, or change, what others do."
#define TRANSACTS  "It tells of transactions of others."
#define ACTS       "It acts on other sessions or on the server."
#define CATALOGUE  "It reads the database's catalogue, past what is granted."
#define RUNS       "It reads tables by itself, past what is granted."
#define ROWS       "It takes or gives whole rows: name the columns, as in jsonb_build_object('a', a)."
#define HUGE_VALUE "A small argument of it makes a huge result."
#define STOPWATCH                                                                                  \
    "It tells how long a statement takes: now() and statement_timestamp() are allowed."
#define XML       "XML is not supported: select the columns themselves."
#define SEARCH    "Text search reads dictionaries of the server: use LIKE or regular expressions."
#define STATE     "It changes the session's state: random() is allowed, with a seed of its own."
#define ENCODINGS "It looks encodings up in the catalogue: encode() and decode() are allowed."
#define SESSIONS  "It tells of the session between gateway and database."

/* A name that ends in * stands for all that begin so. The first that fits counts. */
static const struct {
    const char *name, *reason;
} refused[] = {
    {"dblink*", ELSEWHERE},
    {"postgres_fdw*", ELSEWHERE},
    {"pg_read_*", FILES},
    {"pg_ls_*", FILES},
    {"pg_stat_file", FILES},
    {"pg_file_*", FILES},
    {"pg_logdir_ls", FILES},
    {"pg_current_logfile", FILES},
    {"lo_*", OBJECTS},
    {"loread", OBJECTS},
    {"lowrite", OBJECTS},
    {"set_config", SETTINGS},
    {"current_setting", SETTINGS},
    {"pg_show_all_settings", SETTINGS},
    {"setseed", STATE},
    {"pg_sleep*", SLEEPS},
    {"pg_advisory_*", LOCKS},
    {"pg_try_advisory_*", LOCKS},
    {"nextval", SEQUENCES},
    {"currval", SEQUENCES},
    {"lastval", SEQUENCES},
    {"setval", SEQUENCES},
    {"txid_*", TRANSACTS},
    {"pg_current_xact_id*", TRANSACTS},
    {"pg_current_snapshot", TRANSACTS},
    {"pg_snapshot_*", TRANSACTS},
    {"pg_visible_in_snapshot", TRANSACTS},
    {"pg_xact_*", TRANSACTS},
    {"pg_export_snapshot", TRANSACTS},
    {"pg_terminate_backend", ACTS},
    {"pg_cancel_backend", ACTS},
    {"pg_reload_conf", ACTS},
    {"pg_rotate_logfile*", ACTS},
    {"pg_notify", ACTS},
    {"pg_logical_*", ACTS},
    {"pg_create_*", ACTS},
    {"pg_drop_*", ACTS},
    {"pg_switch_wal", ACTS},
    {"pg_backend_pid", SESSIONS},
    {"inet_client_*", SESSIONS},
    {"inet_server_*", SESSIONS},
    {"query_to_xml*", RUNS},
    {"table_to_xml*", RUNS},
    {"schema_to_xml*", RUNS},
    {"database_to_xml*", RUNS},
    {"cursor_to_xml*", RUNS},
    {"ts_stat", RUNS},
    {"ts_rewrite", RUNS},
    {"xml*", XML},
    {"xpath*", XML},
    {"row_to_json", ROWS},
    {"json_populate_record*", ROWS},
    {"jsonb_populate_record*", ROWS},
    {"array_fill", HUGE_VALUE},
    {"factorial", HUGE_VALUE},
    {"clock_timestamp", STOPWATCH},
    {"timeofday", STOPWATCH},
    {"to_tsvector", SEARCH},
    {"to_tsquery", SEARCH},
    {"plainto_tsquery", SEARCH},
    {"phraseto_tsquery", SEARCH},
    {"websearch_to_tsquery", SEARCH},
    {"ts_*", SEARCH},
    {"convert", ENCODINGS},
    {"convert_from", ENCODINGS},
    {"convert_to", ENCODINGS},
    {"to_reg*", CATALOGUE},
    {"has_*", CATALOGUE},
    {"col_description", CATALOGUE},
    {"obj_description", CATALOGUE},
    {"shobj_description", CATALOGUE},
    {"format_type", CATALOGUE},
    {"current_schemas", CATALOGUE},
    {"pg_*", CATALOGUE},
};
enum { REFUSED_COUNT = sizeof refused / sizeof *refused };

static bool fits(const char *pattern, const char *name)
{
    size_t len = strlen(pattern);

    if (pattern[len - 1] == '*')
        return strncmp(pattern, name, len - 1) == 0;
    return strcmp(pattern, name) == 0;
}

const char *allow_refusal(const char *name)
{
    for (size_t i = 0; i < REFUSED_COUNT; i++) {
        if (fits(refused[i].name, name))
            return refused[i].reason;
    }
    return NULL;
}

/* What a partner hears of an error upstream: a text that follows from the SQLSTATE alone, since
 * PostgreSQL's own message, detail and hint may quote rows (LINEAGE: "error text").
 * Invariant: nothing of the upstream's text passes through here. */
#include "sql/plan.h"

#include <string.h>

/* Matched by prefix, the first that fits: single states stand before their class. A data error is
 * one that another content of the tables could have avoided: it is counted as a probe. What
 * cannot be told is a data error. */
static const struct {
    const char *prefix;
    struct plan_upstream_error answer;
} errors[] = {
    {"08", {"the connection to the database was lost", "Connect again.", false}},
    {"0A", {"the database does not support this", "", true}}, /* so does extract('bad unit' …) */
    {"21000", {"a subquery returned more than one row", "Use LIMIT, IN or an aggregate.", true}},
    {"22012", {"division by zero", "Use NULLIF on the divisor.", true}},
    {"22003", {"a number is out of range", "Cast to a wider type.", true}},
    {"22007", {"a value is not a valid date or time", "", true}},
    {"22008", {"a date or time is out of range", "", true}},
    {"22023", {"a value is not allowed there", "", true}},
    {"22025", {"a pattern ends in an escape character", "Double the escape character.", true}},
    {"2201B", {"a regular expression is not valid", "", true}},
    {"2201W", {"LIMIT must not be negative", "", true}},
    {"2201X", {"OFFSET must not be negative", "", true}},
    {"22P02",
     {"a text is not a valid value of the type it is used as",
      "Compare with a literal of the column's type.", true}},
    {"22P03", {"a binary parameter is not valid", "Send the parameter in text format.", true}},
    {"22", {"an expression failed on the data", "", true}},
    {"23", {"a constraint was violated", "", true}},
    {"24", {"the cursor or portal is not in a state for this", "", false}},
    {"25P02",
     {"the transaction has failed; statements are ignored until it ends", "Send ROLLBACK.", false}},
    {"25P03", {"the transaction was idle for too long", "Start again.", false}},
    {"25006", {"the transaction is read-only", "", false}},
    {"25001", {"this cannot be done inside a transaction", "", false}},
    {"25", {"this is not possible in the transaction's state", "", false}},
    {"26", {"the prepared statement does not exist", "Prepare it again.", false}},
    {"28", {"the gateway could not sign in to the database", "Tell the operator.", false}},
    {"34", {"the cursor or portal does not exist", "", false}},
    {"3B", {"the savepoint does not exist", "", false}},
    {"3D", {"the database does not exist", "Tell the operator.", false}},
    {"40001", {"the transaction conflicted with another one", "Run the transaction again.", false}},
    {"40P01",
     {"the transaction was stopped to end a deadlock", "Run the transaction again.", false}},
    {"40", {"the transaction was rolled back", "Run the transaction again.", false}},
    {"42501", {"the gateway's role lacks a privilege", "Tell the operator.", false}},
    /* Statements are parsed before they are sent: what has one is to_char()'s format, or a
     * jsonpath, that a row may hold. */
    {"42601",
     {"a format or a path has a syntax error", "Write it as a literal, and correct it.", true}},
    {"42803", {"a column must stand in GROUP BY or in an aggregate", "", false}},
    {"42804", {"types do not match", "Cast one side.", false}},
    {"42846", {"there is no cast between these types", "", false}},
    {"42883", {"no function or operator fits these types", "Cast the arguments.", false}},
    {"42725", {"more than one function or operator fits", "Cast the arguments.", false}},
    {"42P18", {"the type of a parameter is not clear", "Cast the parameter.", false}},
    {"42P08", {"a parameter is used with different types", "Cast the parameter.", false}},
    {"42P02", {"a parameter does not exist", "", false}},
    {"42P10", {"ORDER BY or DISTINCT refers to something that is not there", "", false}},
    {"42P19", {"the recursive query is not in a form that can run", "", false}},
    {"42P20", {"a window function cannot stand there", "", false}},
    {"42P21", {"two collations conflict", "Compare columns of one collation.", false}},
    {"42P22",
     {"the collation of an expression is not clear", "Compare columns of one collation.", true}},
    {"42P01", {"a table that policy names is not in the database", "Tell the operator.", false}},
    {"42703", {"a column that policy names is not in the database", "Tell the operator.", false}},
    {"42702", {"a column name is ambiguous", "Write the table's alias before it.", false}},
    {"42701", {"a column name appears twice", "Give each column its own alias.", false}},
    {"42", {"the database did not accept the statement", "", false}},
    {"53300", {"the database has too many connections", "Try again later.", false}},
    {"53", {"the database is short of resources", "Try again later.", true}},
    {"54", {"the statement passes a limit of the database", "Write a simpler statement.", true}},
    {"55P03", {"a lock was not free", "Try again.", false}},
    {"55", {"the object is not in a state for this", "", false}},
    {"57014", {"the statement was cancelled or took too long", "Select fewer rows.", true}},
    {"57P01", {"the database is shutting down", "Connect again.", false}},
    {"57P02", {"the database stopped unexpectedly", "Connect again.", false}},
    {"57P03", {"the database does not accept connections now", "Try again later.", false}},
    {"57", {"the operator of the database intervened", "Try again later.", false}},
    {"58", {"the database had a system error", "Tell the operator.", false}},
    {"XX", {"the database had an internal error", "Tell the operator.", true}},
    {"", {"the database reported an error", "", true}},
};

struct plan_upstream_error plan_upstream_error(const char sqlstate[static 6])
{
    size_t i = 0;

    while (strncmp(sqlstate, errors[i].prefix, strlen(errors[i].prefix)) != 0)
        i++; /* the last one always fits */
    return errors[i].answer;
}

struct plan_upstream_error plan_catalogue_error(const char sqlstate[static 6])
{
    static const struct plan_upstream_error
        table = {"a table or alias that the statement names is not in its FROM",
                 "Name it in FROM, or correct the alias.", false},
        column = {"a column that the statement names does not exist",
                  "SELECT * shows the columns that a table of the catalogue has here.", false},
        function = {"no function or operator has this name and takes these types",
                    "Correct the name, or cast the arguments.", false};

    if (strcmp(sqlstate, "42P01") == 0)
        return table;
    if (strcmp(sqlstate, "42883") == 0)
        return function;
    return strcmp(sqlstate, "42703") == 0 ? column : plan_upstream_error(sqlstate);
}

/* Names of the rules by which statements are refused. Staff look them up in cofferdam(1), so a name
 * stays when a message is worded anew. A refusal is told by its SQLSTATE and by how the format of
 * its message begins: what a partner writes into a statement is in neither. */
#include <string.h>

#include "sql/plan/plan_explain.h"

/* The first row that fits counts; after the rows with a text come those that take the rest. */
static const struct {
    const char *sqlstate, *format, *rule;
} rules[] = {
    {"42P01", "dataset ", "dataset-not-granted"},
    {"42P01", "schema ", "schema-not-granted"},
    {"42P01", "", "table-not-in-from"},
    {"42703", "", "column-not-granted"},
    {"42702", "", "name-ambiguous"},
    {"42712", "", "name-twice"},
    {"42701", "", "column-twice"},
    {"42803", "", "not-grouped"},
    {"42809", "", "not-an-aggregate"},
    {"42P20", "", "window-misplaced"},
    {"42P02", "", "no-such-parameter"},
    {"42P10", "", "columns-do-not-fit"},
    {"42P11", "", "cursor-definition"},
    {"42883", "", "function-not-allowed"},
    {"42601", "", "syntax"},
    {"22021", "", "not-utf8"},
    {"22023", "", "copy-option"},
    {"2201W", "", "limit-negative"},
    {"2201X", "", "limit-negative"},
    {"54000", "", "statement-limit"},
    {"54001", "", "statement-too-deep"},
    {"54011", "", "too-many-columns"},
    {"53200", "", "out-of-memory"},
    {"XX000", "", "not-rewritten-exactly"},

    {"42501", "column \"%s\" of dataset ", "column-not-writable"},
    {"42501", "%s on dataset ", "dataset-not-writable"},
    {"42501", "UPDATE on dataset ", "dataset-not-writable"},
    {"42501", "nothing that is granted", "nothing-writable"},
    {"42501", "this partner gets statistics only", "statistics-only"},
    {"42501", "this partner may only look up", "look-up-only"},
    {"42501", "the whole row ", "whole-row"},
    {"42501", "function %s", "function-not-allowed"},
    {"42501", "the length of ", "result-not-bounded"},
    {"42501", "operator ", "operator-not-allowed"},
    {"42501", "casting to type ", "type-not-allowed"},
    {"42501", "parameter ", "type-not-allowed"},
    {"42501", "collation ", "collation-not-allowed"},
    {"42501", "system catalogs ", "catalogue-hidden"},
    {"42501", "%s.%s is not available", "catalogue-hidden"},
    {"42501", "setting ", "setting-not-available"},
    {"42501", "\"%s\" cannot be ", "setting-not-available"},
    {"42501", "not allowed: ", "statement-not-allowed"},
    {"42501", "this kind of statement ", "statement-not-allowed"},
    {"42501", "", "not-allowed"},

    {"0A000", "%s returns a set of rows", "set-misplaced"},
    {"0A000", "an expression over a set of rows", "set-misplaced"},
    {"0A000", "%s cannot stand in ", "random-misplaced"},
    {"0A000", "%s is not supported over the system", "catalogue-form"},
    {"0A000", "this kind of function in FROM is not supported over", "catalogue-form"},
    {"0A000", "named arguments are not supported over", "catalogue-form"},
    {"0A000", "the columns of this statement", "catalogue-form"},
    {"0A000", "recursive query ", "recursive-form"},
    {"0A000", "WITH ", "with-form"},
    {"0A000", "sub-selects ", "sub-select-misplaced"},
    {"0A000", "this kind of sub-select ", "sub-select-misplaced"},
    {"0A000", "names of other databases", "other-database"},
    {"0A000", "cursors ", "cursor-backward"},
    {"0A000", "an argument of EXECUTE", "execute-argument"},
    {"0A000", "the request and its signature", "renewal-form"},
    {"0A000", "several statements", "several-statements"},
    {"0A000", "", "not-supported"},
};

const char *plan_rule(const char *sqlstate, const char *format)
{
    for (size_t i = 0; i < lengthof(rules); i++)
        if (strcmp(rules[i].sqlstate, sqlstate) == 0 &&
            strncmp(rules[i].format, format, strlen(rules[i].format)) == 0)
            return rules[i].rule;
    return "refused";
}

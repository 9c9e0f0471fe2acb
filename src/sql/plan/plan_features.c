/* What a SELECT may be made of: every clause that is not accepted is refused here, by its name and
 * with what to write instead. A clause becomes accepted by losing its row and gaining its lineage
 * (docs/decisions). */
#include "sql/plan/plan_build.h"

enum status plan_check_features(struct build *build, const SelectStmt *select)
{
    const struct {
        bool present;
        const char *what, *hint;
    } clauses[] = {
        {select->intoClause != NULL, "SELECT INTO",
         "No table can be made; INSERT writes rows where it is granted."},
        {select->lockingClause != NIL, "FOR UPDATE and FOR SHARE",
         "Nothing can be locked through the gateway."},
    };
    for (size_t i = 0; i < lengthof(clauses); i++)
        if (clauses[i].present)
            return plan_refuse(build, "0A000", clauses[i].hint, "not supported: %s",
                               clauses[i].what);
    return STATUS_OK;
}

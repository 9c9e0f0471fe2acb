/* Function calls with all that may hang on one (ORDER BY, FILTER, OVER …), and the functions that
 * SQL writes without parentheses. Calls that SQL writes with keywords (EXTRACT, TRIM, OVERLAPS,
 * AT TIME ZONE) are calls of pg_catalog functions in the tree, and are emitted as such. */
#include "sql/tree/emitter.h"

void emit_sort_by(struct emitter *emitter, Node *node)
{
    SortBy *sort = (SortBy *)node;

    if (!IsA(node, SortBy) || sort->sortby_dir == SORTBY_USING) {
        emit_refuse(emitter, "ORDER BY … USING");
        return;
    }
    emit_operand(emitter, sort->node);
    if (sort->sortby_dir != SORTBY_DEFAULT)
        emit_text(emitter, sort->sortby_dir == SORTBY_ASC ? " ASC" : " DESC");
    if (sort->sortby_nulls != SORTBY_NULLS_DEFAULT)
        emit_text(emitter,
                  sort->sortby_nulls == SORTBY_NULLS_FIRST ? " NULLS FIRST" : " NULLS LAST");
}

static void emit_arguments(struct emitter *emitter, FuncCall *call)
{
    ListCell *cell;

    if (call->agg_star) {
        emit_text(emitter, "*");
        return;
    }
    if (call->agg_distinct)
        emit_text(emitter, "DISTINCT ");
    foreach (cell, call->args) {
        if (cell != list_head(call->args))
            emit_text(emitter, ", ");
        if (call->func_variadic && lnext(call->args, cell) == NULL)
            emit_text(emitter, "VARIADIC ");
        emit_expression(emitter, lfirst(cell));
    }
    if (call->agg_order != NIL && !call->agg_within_group) {
        emit_text(emitter, " ORDER BY ");
        emit_list(emitter, call->agg_order, emit_sort_by);
    }
}

/* OVER "name" refers to the WINDOW clause; any other window is written out. */
static void emit_over(struct emitter *emitter, WindowDef *window)
{
    emit_text(emitter, " OVER ");
    if (window->name != NULL) {
        emit_identifier(emitter, window->name);
        return;
    }
    emit_text(emitter, "(");
    emit_window(emitter, window);
    emit_text(emitter, ")");
}

void emit_function_call(struct emitter *emitter, FuncCall *call)
{
    emit_qualified(emitter, call->funcname);
    emit_text(emitter, "(");
    emit_arguments(emitter, call);
    emit_text(emitter, ")");
    if (call->agg_within_group) {
        emit_text(emitter, " WITHIN GROUP (ORDER BY ");
        emit_list(emitter, call->agg_order, emit_sort_by);
        emit_text(emitter, ")");
    }
    if (call->agg_filter != NULL) {
        emit_text(emitter, " FILTER (WHERE ");
        emit_expression(emitter, call->agg_filter);
        emit_text(emitter, ")");
    }
    if (call->over != NULL)
        emit_over(emitter, call->over);
}

/* PostgreSQL keeps start and end of a frame as pairs of adjacent bits; `shift` is 0 for the start
 * and 1 for the end. */
static void emit_frame_bound(struct emitter *emitter, int options, int shift, Node *offset)
{
    options >>= shift;
    if (offset != NULL) {
        emit_operand(emitter, offset);
        emit_text(emitter,
                  options & FRAMEOPTION_START_OFFSET_PRECEDING ? " PRECEDING" : " FOLLOWING");
    } else if (options & FRAMEOPTION_START_UNBOUNDED_PRECEDING)
        emit_text(emitter, "UNBOUNDED PRECEDING");
    else if (options & FRAMEOPTION_START_UNBOUNDED_FOLLOWING)
        emit_text(emitter, "UNBOUNDED FOLLOWING");
    else
        emit_text(emitter, "CURRENT ROW");
}

static void emit_frame(struct emitter *emitter, WindowDef *window)
{
    int options = window->frameOptions;

    emit_text(emitter, options & FRAMEOPTION_RANGE  ? " RANGE "
                       : options & FRAMEOPTION_ROWS ? " ROWS "
                                                    : " GROUPS ");
    if (options & FRAMEOPTION_BETWEEN)
        emit_text(emitter, "BETWEEN ");
    emit_frame_bound(emitter, options, 0, window->startOffset);
    if (options & FRAMEOPTION_BETWEEN) {
        emit_text(emitter, " AND ");
        emit_frame_bound(emitter, options, 1, window->endOffset);
    }
    if (options & FRAMEOPTION_EXCLUDE_CURRENT_ROW)
        emit_text(emitter, " EXCLUDE CURRENT ROW");
    else if (options & FRAMEOPTION_EXCLUDE_GROUP)
        emit_text(emitter, " EXCLUDE GROUP");
    else if (options & FRAMEOPTION_EXCLUDE_TIES)
        emit_text(emitter, " EXCLUDE TIES");
}

void emit_window(struct emitter *emitter, WindowDef *window)
{
    if (window->refname != NULL)
        emit_identifier(emitter, window->refname);
    if (window->partitionClause != NIL) {
        emit_text(emitter, " PARTITION BY ");
        emit_list(emitter, window->partitionClause, emit_operand);
    }
    if (window->orderClause != NIL) {
        emit_text(emitter, " ORDER BY ");
        emit_list(emitter, window->orderClause, emit_sort_by);
    }
    if (window->frameOptions & FRAMEOPTION_NONDEFAULT)
        emit_frame(emitter, window);
}

void emit_sql_value(struct emitter *emitter, SQLValueFunction *function)
{
    static const char *const names[] = {
        [SVFOP_CURRENT_DATE] = "CURRENT_DATE",
        [SVFOP_CURRENT_TIME] = "CURRENT_TIME",
        [SVFOP_CURRENT_TIME_N] = "CURRENT_TIME",
        [SVFOP_CURRENT_TIMESTAMP] = "CURRENT_TIMESTAMP",
        [SVFOP_CURRENT_TIMESTAMP_N] = "CURRENT_TIMESTAMP",
        [SVFOP_LOCALTIME] = "LOCALTIME",
        [SVFOP_LOCALTIME_N] = "LOCALTIME",
        [SVFOP_LOCALTIMESTAMP] = "LOCALTIMESTAMP",
        [SVFOP_LOCALTIMESTAMP_N] = "LOCALTIMESTAMP",
        [SVFOP_CURRENT_ROLE] = "CURRENT_ROLE",
        [SVFOP_CURRENT_USER] = "CURRENT_USER",
        [SVFOP_USER] = "USER",
        [SVFOP_SESSION_USER] = "SESSION_USER",
        [SVFOP_CURRENT_CATALOG] = "CURRENT_CATALOG",
        [SVFOP_CURRENT_SCHEMA] = "CURRENT_SCHEMA",
    };

    emit_text(emitter, names[function->op]);
    if (function->op == SVFOP_CURRENT_TIME_N || function->op == SVFOP_CURRENT_TIMESTAMP_N ||
        function->op == SVFOP_LOCALTIME_N || function->op == SVFOP_LOCALTIMESTAMP_N)
        buffer_printf(emitter->out, "(%d)", function->typmod);
}

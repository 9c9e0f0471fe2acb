/* Types and casts. A type that SQL spells with keywords (double precision, timestamp(3) with time
 * zone, interval year to month) is, in the tree, a name in pg_catalog with modifiers, and is
 * emitted as that. */
#include "sql/tree/emitter.h"

void emit_type(struct emitter *emitter, TypeName *type)
{
    ListCell *cell;

    if (type->setof || type->pct_type || type->names == NIL) {
        emit_refuse(emitter, "this kind of type name");
        return;
    }
    emit_qualified(emitter, type->names);
    if (type->typmods != NIL) {
        emit_text(emitter, "(");
        emit_list(emitter, type->typmods, emit_expression);
        emit_text(emitter, ")");
    }
    foreach (cell, type->arrayBounds) {
        int bound = intVal(lfirst(cell));
        if (bound < 0)
            emit_text(emitter, "[]");
        else
            buffer_printf(emitter->out, "[%d]", bound);
    }
}

void emit_cast(struct emitter *emitter, TypeCast *cast)
{
    emit_text(emitter, "CAST(");
    emit_operand(emitter, cast->arg);
    emit_text(emitter, " AS ");
    emit_type(emitter, cast->typeName);
    emit_text(emitter, ")");
}

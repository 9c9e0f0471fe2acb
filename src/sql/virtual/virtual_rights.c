/* What a grant lets a partner do, as the catalogue says it: to has_table_privilege() and its like
 * by name, in an aclitem by letter. */
#include "sql/virtual/virtual_private.h"

enum right { SELECT_RIGHT = 1, INSERT_RIGHT = 2, UPDATE_RIGHT = 4, DELETE_RIGHT = 8 };

static const struct {
    enum right right;
    const char *name;
    char letter;
} rights_known[] = {{INSERT_RIGHT, "insert", 'a'},
                    {SELECT_RIGHT, "select", 'r'},
                    {UPDATE_RIGHT, "update", 'w'},
                    {DELETE_RIGHT, "delete", 'd'}};

const char *virtual_rights_names(unsigned rights)
{
    const char *text = NULL;
    for (size_t i = 0; i < lengthof(rights_known); i++)
        if (rights & rights_known[i].right)
            text =
                text == NULL ? rights_known[i].name : psprintf("%s|%s", text, rights_known[i].name);
    return text;
}

const char *virtual_rights_letters(unsigned rights)
{
    char *text = palloc0(lengthof(rights_known) + 1), *to = text;
    for (size_t i = 0; i < lengthof(rights_known); i++)
        if (rights & rights_known[i].right)
            *to++ = rights_known[i].letter;
    return text;
}

static bool is_listed(const size_t *columns, size_t count, size_t column)
{
    for (size_t i = 0; i < count; i++)
        if (columns[i] == column)
            return true;
    return false;
}

unsigned virtual_column_rights(const struct model_grant *grant, const struct model_granted *granted)
{
    const struct policy_write *write = &grant->policy->write;
    size_t column = (size_t)(granted->column->policy - grant->dataset->policy->columns);
    return SELECT_RIGHT |
           (is_listed(write->insert, write->insert_count, column) ? INSERT_RIGHT : 0) |
           (is_listed(write->update, write->update_count, column) ? UPDATE_RIGHT : 0);
}

unsigned virtual_table_rights(const struct model_grant *grant)
{
    unsigned rights = SELECT_RIGHT | INSERT_RIGHT | UPDATE_RIGHT;
    for (size_t c = 0; c < grant->column_count; c++)
        rights &= virtual_column_rights(grant, &grant->columns[c]);
    return rights | (grant->policy->write.deletes ? DELETE_RIGHT : 0);
}

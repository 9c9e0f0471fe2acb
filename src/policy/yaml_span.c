/* Where a node stands in the text it was read from: for changes that leave the rest as it is. The
 * tree knows the places of scalars alone; brackets are looked for around them. See yaml.h. */
#include "policy/yaml.h"

#include <libfyaml.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_flow(struct fy_node *node)
{
    return fy_node_get_style(node) == FYNS_FLOW;
}

static struct fy_node *edge(struct fy_node *node, bool last)
{
    if (fy_node_is_sequence(node))
        return fy_node_sequence_get_by_index(node, last ? -1 : 0);
    struct fy_node_pair *pair = fy_node_mapping_get_by_index(node, last ? -1 : 0);
    return last ? fy_node_pair_value(pair) : fy_node_pair_key(pair);
}

/* Behind blanks, comments and a comma, from `at` on. */
static size_t skip_forward(struct slice text, size_t at)
{
    const char *bytes = (const char *)text.data;
    while (at < text.len && (is_blank(bytes[at]) || bytes[at] == ',' || bytes[at] == '#')) {
        if (bytes[at] == '#')
            while (at < text.len && bytes[at] != '\n')
                at++;
        else
            at++;
    }
    return at;
}

static bool scalar_span(struct slice text, struct fy_node *node, struct yaml_span *span)
{
    struct fy_token *token = fy_node_get_scalar_token(node);
    const struct fy_mark *start = token == NULL ? NULL : fy_token_start_mark(token);
    const struct fy_mark *end = token == NULL ? NULL : fy_token_end_mark(token);
    if (start == NULL || end == NULL || start->input_pos > end->input_pos ||
        end->input_pos > text.len)
        return false;
    *span = (struct yaml_span){.start = start->input_pos, .end = end->input_pos};
    const char *bytes = (const char *)text.data;
    bool quoted = span->start > 0 && span->end < text.len &&
                  (bytes[span->start - 1] == '"' || bytes[span->start - 1] == '\'') &&
                  bytes[span->end] == bytes[span->start - 1];
    span->start -= quoted; /* the marks are inside the quotes */
    span->end += quoted;
    return true;
}

bool yaml_span_of(struct slice text, struct fy_node *node, struct yaml_span *span)
{
    if (node == NULL)
        return false;
    if (fy_node_is_scalar(node))
        return scalar_span(text, node, span);
    struct yaml_span last;
    if (!yaml_span_of(text, edge(node, false), span) ||
        !yaml_span_of(text, edge(node, true), &last))
        return false;
    span->end = last.end;
    if (!is_flow(node))
        return true;
    const char *bytes = (const char *)text.data,
               *brackets = fy_node_is_sequence(node) ? "[]" : "{}";
    do
        if (span->start-- == 0)
            return false;
    while (is_blank(bytes[span->start]));
    span->end = skip_forward(text, span->end);
    return span->end < text.len && bytes[span->start] == brackets[0] &&
           bytes[span->end++] == brackets[1];
}

bool yaml_is_flow(struct fy_node *node)
{
    return is_flow(node);
}

/* Fuzz target: any text as YAML. Where a node stands in the text is inside of it, the places of a
 * collection's parts are inside of the collection's, and what stands there begins and ends as it
 * must. */
#include <libfyaml.h>
#include <string.h>

#include "base/check.h"
#include "policy/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 4 * 1024 * 1024 };

static void check_inside(struct yaml_span outer, struct slice text, struct fy_node *node);

static void check_parts(struct yaml_span span, struct slice text, struct fy_node *node)
{
    void *state = NULL;
    if (fy_node_is_sequence(node)) {
        for (struct fy_node *item; (item = fy_node_sequence_iterate(node, &state)) != NULL;)
            check_inside(span, text, item);
        return;
    }
    for (struct fy_node_pair *pair; (pair = fy_node_mapping_iterate(node, &state)) != NULL;) {
        check_inside(span, text, fy_node_pair_key(pair));
        check_inside(span, text, fy_node_pair_value(pair));
    }
}

static void check_inside(struct yaml_span outer, struct slice text, struct fy_node *node)
{
    struct yaml_span span;
    if (!yaml_span_of(text, node, &span)) {
        if (node != NULL && !fy_node_is_scalar(node))
            check_parts(outer, text, node);
        return;
    }
    CHECK(outer.start <= span.start && span.start <= span.end && span.end <= outer.end);
    if (fy_node_is_scalar(node))
        return;
    if (yaml_is_flow(node)) {
        CHECK(span.end - span.start >= 2);
        CHECK(text.data[span.start] == (fy_node_is_sequence(node) ? '[' : '{'));
        CHECK(text.data[span.end - 1] == (fy_node_is_sequence(node) ? ']' : '}'));
    }
    check_parts(span, text, node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct error error;
    struct yaml yaml;
    struct slice text = slice_of(data, size);
    arena_init(&arena, ARENA_BYTES);
    yaml_open(&yaml, "policy.yaml", text, &arena, &error);
    if (!yaml_failed(&yaml) && yaml_root(&yaml) != NULL)
        check_inside((struct yaml_span){.start = 0, .end = size}, text, yaml_root(&yaml));
    yaml_close(&yaml);
    arena_free(&arena);
    return 0;
}

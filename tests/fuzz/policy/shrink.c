/* Fuzz target: a policy's text, and what is to go from it: each bit of the first two bytes is for
 * the agents, or the columns, that have that number modulo 8. Where nothing goes nothing changes,
 * and what is left loads and lacks just that. */
#include "base/check.h"
#include "policy/shrink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 2 * 1024 * 1024 };

static bool agent_goes(void *context, size_t partner, size_t agent)
{
    const uint8_t *bits = context;
    return (bits[0] >> ((partner + agent) % 8) & 1) != 0;
}

static bool column_goes(void *context, size_t partner, size_t grant, size_t column)
{
    const uint8_t *bits = context;
    return (bits[1] >> ((partner + grant + column) % 8) & 1) != 0;
}

/* Agents and granted columns that the choice keeps. */
static void count_kept(const struct policy *policy, const uint8_t bits[static 2], size_t *agents,
                       size_t *columns)
{
    uint8_t context[2] = {bits[0], bits[1]};
    *agents = *columns = 0;
    for (size_t p = 0; p < policy->partner_count; p++) {
        const struct policy_partner *partner = &policy->partners[p];
        for (size_t a = 0; a < partner->agent_count; a++)
            *agents += !agent_goes(context, p, a);
        for (size_t g = 0; g < partner->grant_count; g++)
            for (size_t c = 0; c < partner->grants[g].column_count; c++)
                *columns += !column_goes(context, p, g, c);
    }
}

static void check_shrunk(const struct policy *policy, const uint8_t bits[static 2])
{
    static const uint8_t none[2];
    uint8_t context[2] = {bits[0], bits[1]};
    const struct shrink_choice choice = {context, agent_goes, column_goes};
    const struct policy *left = NULL;
    size_t agents, columns, agents_left, columns_left;
    struct buffer out;
    struct error error;
    buffer_init(&out, ROOM);
    if (policy_shrink(policy, &choice, &out, &error) == STATUS_OK) {
        CHECK(policy_load_text("policy.yaml", buffer_slice(&out), &left, &error) == STATUS_OK);
        count_kept(policy, bits, &agents, &columns);
        count_kept(left, none, &agents_left, &columns_left);
        CHECK(agents_left == agents && columns_left == columns);
        if (bits[0] == 0 && bits[1] == 0)
            CHECK(slice_equal(buffer_slice(&out), slice_of(policy->text, policy->text_len)));
        policy_release(left);
    }
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t none[2];
    const struct policy *policy = NULL;
    struct error error;
    if (size < 2 ||
        policy_load_text("policy.yaml", slice_of(data + 2, size - 2), &policy, &error) != STATUS_OK)
        return 0;
    check_shrunk(policy, none);
    check_shrunk(policy, data);
    policy_release(policy);
    return 0;
}

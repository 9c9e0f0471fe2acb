/* May this agent act now, from here? Asked at login and again for every statement, so it allocates
 * nothing and reads only the policy. Texts tell the agent what to do and nothing of the policy
 * but its own dates and hours. */
#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

static bool in_network(const struct policy_network *network, const struct in6_addr *peer)
{
    unsigned whole = network->prefix_bits / 8, rest = network->prefix_bits % 8;
    if (memcmp(&network->address, peer, whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    return rest == 0 || ((network->address.s6_addr[whole] ^ peer->s6_addr[whole]) & mask) == 0;
}

static bool within_hours(const struct policy_hours *hours, int64_t now_ns)
{
    struct zone_time local = zone_local(hours->zone, now_ns);
    int minute = local.hour * 60 + local.minute;
    return (hours->days & (1u << (local.weekday - 1))) != 0 && minute >= hours->from_minute &&
           minute < hours->until_minute;
}

static enum status check_dates(const struct policy_partner *partner, int64_t now_ns,
                               struct error *error)
{
    char when[21];
    if (now_ns < partner->valid_from_ns) {
        clock_format_utc(partner->valid_from_ns, when);
        return error_set(error, STATUS_DENIED, "57P01", "Connect again from then on.",
                         "your access begins at %s", when);
    }
    if (now_ns >= partner->valid_until_ns) {
        clock_format_utc(partner->valid_until_ns, when);
        return error_set(error, STATUS_DENIED, "28000",
                         "Ask the company whose data this is to renew your agreement.",
                         "your access ended at %s", when);
    }
    if (now_ns >= partner->posture_expires_ns) {
        clock_format_utc(partner->posture_expires_ns, when);
        return error_set(error, STATUS_DENIED, "28000",
                         "Send a new attestation to the company whose data this is.",
                         "your security attestation expired at %s", when);
    }
    return STATUS_OK;
}

static enum status check_network(const struct policy_agent *agent, const struct in6_addr *peer,
                                 struct error *error)
{
    for (size_t i = 0; i < agent->network_count && peer != NULL; i++)
        if (in_network(&agent->networks[i], peer))
            return STATUS_OK;
    if (agent->network_count == 0)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "28000",
                     "Connect from a network that was agreed for this agent.",
                     "agent \"%s\" may not connect from this address", agent->login);
}

static enum status check_hours(const struct policy_agent *agent, int64_t now_ns,
                               struct error *error)
{
    char hint[300] = "Its hours: ";
    size_t len = strlen(hint);
    for (size_t i = 0; i < agent->hours_count; i++) {
        if (within_hours(&agent->hours[i], now_ns))
            return STATUS_OK;
        int put = snprintf(hint + len, sizeof hint - len, "%s%s", i == 0 ? "" : "; ",
                           agent->hours[i].text);
        if (put > 0 && (size_t)put < sizeof hint - len)
            len += (size_t)put;
    }
    if (agent->hours_count == 0)
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "57P01", hint, "agent \"%s\" may not work at this hour",
                     agent->login);
}

enum status policy_admit(const struct policy_partner *partner, const struct policy_agent *agent,
                         int64_t now_ns, const struct in6_addr *peer, struct error *error)
{
    TRY(check_dates(partner, now_ns, error));
    TRY(check_network(agent, peer, error));
    return check_hours(agent, now_ns, error);
}

/* Networks in CIDR form, both families in one: IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
#include "policy/loader.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Splits at the slash; false if either side cannot be right. *bits is -1 without a slash. */
static bool split_prefix(const char *text, char address[INET6_ADDRSTRLEN], int *bits)
{
    size_t len = strcspn(text, "/");
    if (len == 0 || len >= INET6_ADDRSTRLEN)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    *bits = -1;
    if (text[len] == '\0')
        return true;
    const char *digits = text + len + 1;
    size_t count = strlen(digits);
    if (count == 0 || count > 3 || strspn(digits, "0123456789") != count)
        return false;
    *bits = 0;
    for (; *digits != '\0'; digits++)
        *bits = *bits * 10 + (*digits - '0');
    return true;
}

static bool parse_network(const char *text, struct policy_network *network)
{
    char address[INET6_ADDRSTRLEN];
    struct in_addr v4;
    int bits;
    *network = (struct policy_network){0};
    if (!split_prefix(text, address, &bits))
        return false;
    if (inet_pton(AF_INET6, address, &network->address) == 1) {
        network->prefix_bits = bits < 0 ? 128 : (unsigned)bits;
        return bits <= 128;
    }
    if (inet_pton(AF_INET, address, &v4) != 1 || bits > 32)
        return false;
    network->address.s6_addr[10] = network->address.s6_addr[11] = 0xff;
    memcpy(&network->address.s6_addr[12], &v4, sizeof v4);
    network->prefix_bits = bits < 0 ? 128 : 96 + (unsigned)bits;
    return true;
}

/* Clears the bits behind the prefix; true if any was set. */
static bool clear_host_bits(struct policy_network *network)
{
    bool any = false;
    for (unsigned bit = network->prefix_bits; bit < 128; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> (bit % 8));
        uint8_t *byte = &network->address.s6_addr[bit / 8];
        any = any || (*byte & mask) != 0;
        *byte &= (uint8_t)~mask;
    }
    return any;
}

static void format_network(const struct policy_network *network, char *text, size_t size)
{
    char address[INET6_ADDRSTRLEN];
    bool v4 = IN6_IS_ADDR_V4MAPPED(&network->address);
    text_of_address(&network->address, address);
    snprintf(text, size, "%s/%u", address, network->prefix_bits - (v4 ? 96 : 0));
}

void load_network(struct loader *loader, struct fy_node *node, struct policy_network *network)
{
    struct yaml *yaml = &loader->yaml;
    const char *text = yaml_text(yaml, node);
    if (yaml_failed(yaml))
        return;
    if (!parse_network(text, network)) {
        yaml_fail(yaml, node, "write 203.0.113.0/24 or 2001:db8::/32", "\"%.60s\" is not a network",
                  text);
        return;
    }
    if (clear_host_bits(network)) {
        char meant[80], hint[160];
        format_network(network, meant, sizeof meant);
        snprintf(hint, sizeof hint, "write %s, or the one address without a slash", meant);
        yaml_fail(yaml, node, hint, "\"%.60s\" has bits set behind its prefix", text);
    }
}

/* See claims.h. */
#include "oidc/claims.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { AUDIENCES_MAX = 64 };
static const int64_t last_instant_s = 253402300799; /* of the year 9999 */

static bool say(struct verdict *verdict, enum verdict_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* false, for its caller to return. */
static bool say(struct verdict *verdict, enum verdict_kind kind, const char *format, ...)
{
    va_list arguments;
    verdict->kind = kind;
    va_start(arguments, format);
    vsnprintf(verdict->text, sizeof verdict->text, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_text(json_t *value, struct slice expected)
{
    return json_is_string(value) &&
           slice_equal(slice_of(json_string_value(value), json_string_length(value)), expected);
}

static bool check_audience(json_t *claims, const struct question *question, struct verdict *verdict)
{
    json_t *audience = json_object_get(claims, "aud"), *one;
    size_t index, ours = 0;
    bool azp_is_judged = false;
    if (is_text(audience, question->audience))
        return true;
    json_array_foreach(audience, index, one) ours += is_text(one, question->audience);
    if (ours == 0 || json_array_size(audience) > AUDIENCES_MAX)
        return say(verdict, VERDICT_BAD, "it is for another audience (aud)");
    for (size_t i = 0; i < question->claim_count; i++)
        azp_is_judged = azp_is_judged || strcmp(question->claims[i].name, "azp") == 0;
    if (json_array_size(audience) > 1 && !azp_is_judged &&
        !is_text(json_object_get(claims, "azp"), question->audience))
        return say(
            verdict, VERDICT_BAD,
            "it has several audiences (aud), and azp is neither ours nor a claim of the agent");
    return true;
}

/* A NumericDate (RFC 7519, 2), cut to the second. False where there is none or it is no instant. */
static bool instant(json_t *claims, const char *name, int64_t *seconds)
{
    json_t *value = json_object_get(claims, name);
    double number = json_number_value(value);
    if (!json_is_number(value) || !isfinite(number) || number < 0 ||
        number > (double)last_instant_s)
        return false;
    *seconds = (int64_t)number;
    return true;
}

static bool check_begin(json_t *claims, const struct question *question, struct verdict *verdict)
{
    static const char *const names[] = {"nbf", "iat"};
    for (size_t i = 0; i < 2; i++) {
        int64_t from;
        if (json_object_get(claims, names[i]) == NULL)
            continue;
        if (!instant(claims, names[i], &from))
            return say(verdict, VERDICT_BAD, "%s is no instant", names[i]);
        if (from > question->now_s + question->skew_s)
            return say(verdict, VERDICT_BAD, "it is not valid yet (%s); is the clock right?",
                       names[i]);
    }
    return true;
}

/* The end counts last: who has a token that has expired is told so, and nothing else is wrong. */
static bool check_end(json_t *claims, const struct question *question, struct verdict *verdict)
{
    int64_t end, from = question->now_s, skew = question->skew_s;
    if (!instant(claims, "exp", &end))
        return say(verdict, VERDICT_BAD, "it has no end (exp)");
    verdict->expires_s = end + skew;
    if (json_object_get(claims, "iat") != NULL)
        (void)instant(claims, "iat", &from); /* it is one: check_begin */
    if (end - from > question->max_lifetime_s ||
        end - question->now_s > question->max_lifetime_s + skew)
        return say(verdict, VERDICT_BAD, "it lives longer than max_lifetime_s, %" PRIu32 " s",
                   question->max_lifetime_s);
    if (question->now_s >= verdict->expires_s)
        return say(verdict, VERDICT_EXPIRED, "it has expired");
    return true;
}

static bool matches(json_t *value, const char *text)
{
    char number[24];
    if (json_is_boolean(value))
        return strcmp(text, json_is_true(value) ? "true" : "false") == 0;
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return strcmp(text, number) == 0;
    }
    return is_text(value, slice_of_text(text));
}

static bool meets(json_t *value, const struct policy_claim *claim)
{
    size_t index;
    json_t *one;
    if (!claim->contains)
        return matches(value, claim->value);
    json_array_foreach(value, index, one) if (matches(one, claim->value)) return true;
    return false;
}

static bool check_agent(json_t *claims, const struct question *question, struct verdict *verdict)
{
    for (size_t i = 0; i < question->claim_count; i++) {
        const struct policy_claim *claim = &question->claims[i];
        json_t *value = json_object_get(claims, claim->name);
        if (!meets(value, claim))
            return say(verdict, VERDICT_OTHER, "its claim \"%.80s\" %s", claim->name,
                       value == NULL          ? "is missing"
                       : !claim->contains     ? "is not what the policy asks for"
                       : json_is_array(value) ? "does not contain what the policy asks for"
                                              : "is no list");
    }
    return true;
}

void claims_judge(json_t *claims, const struct question *question, struct verdict *verdict)
{
    *verdict = (struct verdict){.kind = VERDICT_GOOD};
    if (!is_text(json_object_get(claims, "iss"), question->issuer))
        (void)say(verdict, VERDICT_BAD, "it is of another issuer (iss)");
    else if (check_audience(claims, question, verdict) && check_begin(claims, question, verdict) &&
             check_end(claims, question, verdict))
        (void)check_agent(claims, question, verdict);
}

#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static char folder[] = "/tmp/cofferdam-policy-XXXXXX";
static char path[sizeof folder + 16];

static void remove_file(void)
{
    unlink(path);
    rmdir(folder);
}

const char *fixture_write(const char *text)
{
    if (path[0] == '\0') {
        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof path, "%s/policy.yaml", folder);
        atexit(remove_file);
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    return path;
}

const struct policy *fixture_load(const char *text)
{
    const struct policy *policy = NULL;
    struct error error = {0};
    if (policy_load(fixture_write(text), &policy, &error) != STATUS_OK)
        fail_msg("refused: %s (%s)\n%s", error.message, error.hint, text);
    return policy;
}

void fixture_refuse(const char *text, const char *message, const char *hint)
{
    const struct policy *policy = NULL;
    struct error error = {0};
    enum status status = policy_load(fixture_write(text), &policy, &error);
    if (status == STATUS_OK)
        fail_msg("loaded, but should say \"%s\":\n%s", message, text);
    assert_null(policy);
    assert_int_equal(status, STATUS_INVALID);
    assert_string_equal(error.sqlstate, "F0000");
    if (strstr(error.message, message) == NULL)
        fail_msg("says \"%s\", not \"%s\"", error.message, message);
    if (hint != NULL && strstr(error.hint, hint) == NULL)
        fail_msg("hints \"%s\", not \"%s\" (%s)", error.hint, hint, error.message);
}

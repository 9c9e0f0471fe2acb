#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/http.h"

static void check(const char *const *urls, bool safe)
{
    for (; *urls != NULL; urls++)
        if (http_url_is_safe(*urls) != safe)
            fail_msg("%s: %s", *urls, safe ? "refused" : "taken");
}

static void takes_https_and_http_to_this_machine(void **state)
{
    static const char *const urls[] = {
        "https://id.example.org",       "https://id.example.org/a/b?c=d",
        "https://id.example.org:8443/", "https://[2001:db8::1]:8443/keys",
        "https://id.example.org/@me",   "http://localhost/keys",
        "http://127.0.0.1:8080/keys",   "http://127.0.0.1",
        "http://[::1]:80/keys",         NULL};
    check(urls, true);
}

static void refuses_what_could_go_elsewhere(void **state)
{
    static const char *const urls[] = {"http://id.example.org/",
                                       "http://127.0.0.1.example.org/",
                                       "http://127.example.org/",
                                       "http://localhost.example.org/",
                                       "http://localhost:80@example.org/",
                                       "http://127.0.0.1:80@example.org/keys",
                                       "http://localhost\\@example.org/",
                                       "http://[::1]@example.org/",
                                       "http://[::1].example.org/",
                                       "http://localhost#@example.org/ ",
                                       "https://user:password@example.org/",
                                       "https://example.org:port/",
                                       "https:///keys",
                                       "https://",
                                       "https://:443/",
                                       "https://[::1",
                                       "https://a b/",
                                       "https://a/\nb",
                                       "file:///etc/passwd",
                                       "HTTP://localhost/",
                                       "ftp://example.org/",
                                       "",
                                       NULL};
    check(urls, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_https_and_http_to_this_machine),
        cmocka_unit_test(refuses_what_could_go_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

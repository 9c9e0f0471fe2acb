/* Log: one event, one line of key=value, on standard error. Logged once, where it is handled.
 * Never a literal from a query, never a value of the data, never a secret. Any thread. */
#ifndef COFFERDAM_BASE_LOG_H
#define COFFERDAM_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Events below this level are dropped. Default LOG_INFO. */
void log_set_level(enum log_level level);

/* log_event(LOG_INFO, "session_open", "session=%u agent=%s", …). The line gets time and level. */
void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

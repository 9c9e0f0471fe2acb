/* Giving up system calls, by a program of seccomp(2). Whoever takes a process over finds what is
 * refused here as well as what it had no use for: Landlock knows nothing of the modes, owners,
 * dates and lengths of files, and nothing of other processes of the same user. A refused call fails
 * with EPERM. Invariant: what the program is not sure of (another architecture's calls) is refused.
 */
#include "base/confine.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/check.h"

#if defined(__x86_64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the list of system calls knows x86-64 and AArch64"
#endif

/* Those that are younger than our headers; their numbers are the same everywhere. */
enum {
    CALL_PROCESS_MRELEASE = 448,
    CALL_FCHMODAT2 = 452,
    CALL_SETXATTRAT = 463,
    CALL_REMOVEXATTRAT = 466,
    CALL_FILE_SETATTR = 469,
};

/* ---- making a program ---- */

enum { PROGRAM_MOST = 512, X32_CALLS = 0x40000000 };
static const uint32_t allow = SECCOMP_RET_ALLOW, refuse = SECCOMP_RET_ERRNO | EPERM;

struct program {
    struct sock_filter lines[PROGRAM_MOST];
    uint16_t count;
};

static void add(struct program *program, uint16_t code, uint32_t k, uint8_t if_true,
                uint8_t if_false)
{
    CHECK(program->count < PROGRAM_MOST);
    program->lines[program->count++] = (struct sock_filter)BPF_JUMP(code, k, if_true, if_false);
}

static void load(struct program *program, size_t offset)
{
    add(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void end(struct program *program, uint32_t verdict)
{
    add(program, BPF_RET | BPF_K, verdict, 0, 0);
}

/* Leaves the call's number loaded. */
static void begin(struct program *program)
{
    program->count = 0;
    load(program, offsetof(struct seccomp_data, arch));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCHITECTURE, 1, 0);
    end(program, refuse);
    load(program, offsetof(struct seccomp_data, nr));
    add(program, BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1);
    end(program, refuse);
}

static void judge_all(struct program *program, const uint32_t *calls, size_t count,
                      uint32_t verdict)
{
    for (size_t i = 0; i < count; i++) {
        add(program, BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
        end(program, verdict);
    }
}

/* Allows the call if the low half of that argument, masked, is one of the values; else refuses it.
 */
static void allow_if(struct program *program, uint32_t call, size_t argument, uint32_t mask,
                     const uint32_t *values, uint8_t count)
{
    add(program, BPF_JMP | BPF_JEQ | BPF_K, call, 0, (uint8_t)(3 + 2 * count));
    load(program,
         offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t)); /* low first */
    add(program, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
    judge_all(program, values, count, allow);
    end(program, refuse);
}

static enum status enforce(const struct program *program, struct error *error)
{
    const struct sock_fprog filter = {program->count,
                                      (struct sock_filter *)(uintptr_t)program->lines};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0)
        return error_set_errno(error, errno, "cannot give up system calls");
    return STATUS_OK;
}

/* ---- who serves, and who asks others ---- */

enum { ANY = -1 }; /* the whole argument */
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What neither has a use for: programs, other processes, the kernel's insides, what is written on
 * files beside their bytes, memory that processes of one user share. */
static const uint32_t refused_calls[] = {
    SYS_listen,
    SYS_execve,
    SYS_execveat,
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsmount,
    SYS_mount_setattr,
    SYS_fanotify_init,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_io_uring_setup,
    SYS_init_module,
    SYS_finit_module,
    SYS_kexec_load,
    SYS_open_by_handle_at,
    /* other processes */
    SYS_kill,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    CALL_PROCESS_MRELEASE,
    SYS_kcmp,
    SYS_move_pages,
    SYS_migrate_pages,
    SYS_setpriority,
    SYS_ioprio_set,
    SYS_sched_setaffinity,
    SYS_sched_setparam,
    SYS_sched_setscheduler,
    SYS_sched_setattr,
    /* files */
    SYS_truncate,
    SYS_fchmod,
    SYS_fchmodat,
    CALL_FCHMODAT2,
    SYS_fchown,
    SYS_fchownat,
    SYS_utimensat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    CALL_SETXATTRAT,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_fremovexattr,
    CALL_REMOVEXATTRAT,
    CALL_FILE_SETATTR,
    /* what processes share */
    SYS_shmget,
    SYS_shmat,
    SYS_shmctl,
    SYS_semget,
    SYS_semctl,
    SYS_msgget,
    SYS_msgsnd,
    SYS_msgrcv,
    SYS_msgctl,
    SYS_mq_open,
    SYS_mq_unlink,
#if defined(__x86_64__)
    SYS_fork,
    SYS_vfork,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
#endif
};

static const uint32_t refused_to_servers[] = {SYS_socket, SYS_socketpair, SYS_connect,
                                              SYS_bind,   SYS_clone,      SYS_clone3};

/* Signals to itself (abort(3)) and bounds of its own stay. */
static void refuse_common(struct program *program)
{
    const uint32_t self = (uint32_t)getpid(), zero = 0;
    judge_all(program, refused_calls, COUNT(refused_calls), refuse);
    allow_if(program, SYS_tgkill, 0, (uint32_t)ANY, &self, 1);
    allow_if(program, SYS_prlimit64, 0, (uint32_t)ANY, &zero, 1);
}

enum status confine_calls(struct error *error)
{
    struct program program;
    begin(&program);
    refuse_common(&program);
    judge_all(&program, refused_to_servers, COUNT(refused_to_servers), refuse);
    end(&program, allow);
    return enforce(&program, error);
}

/* getaddrinfo(3) asks the kernel for addresses by netlink; libcurl resolves names in a thread,
 * which wakes it over a pair of sockets. clone3 hides its flags: without it the C library takes
 * clone. */
enum status confine_client(struct error *error)
{
    static const uint32_t families[] = {AF_INET, AF_INET6, AF_NETLINK}, stream = SOCK_STREAM;
    static const uint32_t thread = CLONE_THREAD, clone3 = SYS_clone3;
    enum { TYPE_BITS = 0xF };
    struct program program;
    begin(&program);
    refuse_common(&program);
    allow_if(&program, SYS_socket, 0, (uint32_t)ANY, families, COUNT(families));
    allow_if(&program, SYS_socketpair, 1, TYPE_BITS, &stream, 1);
    allow_if(&program, SYS_clone, 0, CLONE_THREAD, &thread, 1);
    judge_all(&program, &clone3, 1, SECCOMP_RET_ERRNO | ENOSYS);
    end(&program, allow);
    return enforce(&program, error);
}

/* ---- who only computes ---- */

static const uint32_t computing_calls[] = {
    SYS_read,         SYS_write,       SYS_close,       SYS_fstat,           SYS_newfstatat,
    SYS_brk,          SYS_munmap,      SYS_mremap,      SYS_madvise,         SYS_futex,
    SYS_getrandom,    SYS_getpid,      SYS_gettid,      SYS_clock_gettime,   SYS_gettimeofday,
    SYS_getrusage,    SYS_sched_yield, SYS_sigaltstack, SYS_rt_sigaction,    SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_exit,        SYS_exit_group,  SYS_restart_syscall,
};

/* Memory that is to be run is none (PROT_EXEC is 4). */
enum status confine_computing(struct error *error)
{
    static const uint32_t zero = 0;
    enum { PROT_EXEC_BIT = 4 };
    const uint32_t self = (uint32_t)getpid();
    struct program program;
    begin(&program);
    judge_all(&program, computing_calls, COUNT(computing_calls), allow);
    allow_if(&program, SYS_mmap, 2, PROT_EXEC_BIT, &zero, 1);
    allow_if(&program, SYS_mprotect, 2, PROT_EXEC_BIT, &zero, 1);
    allow_if(&program, SYS_tgkill, 0, (uint32_t)ANY, &self, 1);
    end(&program, refuse);
    return enforce(&program, error);
}

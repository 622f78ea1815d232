// Reports the sockets that tasks hold, and which tasks have an io_uring open, whose registered files
// may hold further ones: an iterator over the open files of all tasks (kernel/bpf/task_iter.c of the
// kernel, since 5.8; all that is used here is there since 5.11).
//
// It visits the tasks of the process namespace that its reader is in, and files that threads share
// once. A task whose group leader is gone comes with all its threads: repetitions are the reader's.

#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

// What is used of the kernel's types; the loader fits the offsets to those of the running kernel.
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct upid {
  int nr;
};

struct pid {
  unsigned int level;
  struct upid numbers[1];
};

struct task_struct {
  struct task_struct* group_leader;
  struct pid* thread_pid;
};

struct super_block {
  unsigned long s_magic;
};

struct inode {
  unsigned long i_ino;
  struct super_block* i_sb;
};

struct qstr {
  const unsigned char* name;
};

struct dentry {
  struct qstr d_name;
};

struct path {
  struct dentry* dentry;
};

struct file {
  struct inode* f_inode;
  struct path f_path;
};

struct bpf_iter_meta {
  struct seq_file* seq;
};

struct bpf_iter__task_file {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
  struct file* file;
};

#pragma clang attribute pop

// As tcp::Holder. Inode numbers of sockets have 32 bits and are never 0: that stands for a ring.
struct holder {
  __u32 inode;
  __u32 pid;
};

// The number of a task's process as the reader's namespace knows it; 0 of one that has just ended.
// A process has a number in each namespace from the first, level 0, to its own.
static __u32 pid_of(struct task_struct* task) {
  const struct task_struct* reader = (const struct task_struct*)bpf_get_current_task_btf();
  const void* numbers = &task->group_leader->thread_pid->numbers[0].nr;
  __u32 number = 0;
  bpf_core_read(&number, sizeof number,
                numbers + reader->thread_pid->level * bpf_core_type_size(struct upid));
  return number;
}

// Whether a file is an io_uring: an anonymous inode (linux/magic.h) of that name
// (io_uring/io_uring.c, io_uring_get_file).
static int is_ring(struct file* file) {
  enum { kAnonymousInodes = 0x09041934 };
  char name[8] = {};
  if (file->f_inode->i_sb->s_magic != kAnonymousInodes)
    return 0;
  bpf_probe_read_kernel(name, sizeof name, BPF_CORE_READ(file, f_path.dentry, d_name.name));
  return __builtin_memcmp(name, "[io_uring]", sizeof name) == 0;
}

SEC("iter/task_file")
int task_sockets(struct bpf_iter__task_file* ctx) {
  // Read once: what the verifier has learnt of a field holds for this value of it only.
  struct task_struct* task = ctx->task;
  struct file* file = ctx->file;
  // Both are null in the call that ends the iteration.
  if (!task || !file)
    return 0;
  struct holder holder = {};
  if (bpf_sock_from_file(file))
    holder.inode = file->f_inode->i_ino;
  else if (!is_ring(file))
    return 0;
  holder.pid = pid_of(task);
  if (holder.pid != 0)
    bpf_seq_write(ctx->meta->seq, &holder, sizeof holder);
  return 0;
}

// Iterators, and the helper that reads the kernel's memory, ask for one that agrees with the GPL.
char LICENSE[] SEC("license") = "Dual BSD/GPL";

#pragma once

namespace tcpmibd::agent {

// What the process asks of the system about its memory. By the main thread.

// Has malloc() map every large block by itself, so that a snapshot's memory is given back as soon
// as it is freed. By default the first one freed would raise the limit above all that follow.
void map_large_blocks();

// Without memory the process ends, with a line that says so and status 1: whoever supervises it
// starts it anew. An exception could come from anywhere, and leave anything half done.
void end_without_memory();

// Lets go of the pages of code, most of which only the start or a busy time has used: some 5 MB of
// libraries and of reading options and configuration. What is needed again the kernel maps again,
// mostly without reading a disk.
void release_code();

}  // namespace tcpmibd::agent

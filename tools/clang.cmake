# The compiler of the sanitizer builds. Those before 16 cannot read Debian 12's <ranges> (llvm issue
# 44178).
find_program(CMAKE_CXX_COMPILER NAMES clang++-16 clang++-17 clang++-18 clang++-19 clang++ REQUIRED)

//! Nothing but tests: rendered custom resources against other people's types of them. They have a package of their own
//! because the types take minutes to compile.

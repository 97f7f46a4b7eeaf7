"""The commands' names, options and help. What they do lies beside this package, imported when asked for."""

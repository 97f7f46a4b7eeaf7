"""What is told of faces by networks that are installed: who they are, where they and their features lie."""

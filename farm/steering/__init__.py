"""What a user does to a job that is under way, or has ended: pause, resume, retry, prioritise, delete."""

"""What counters say of every link beside what the plan says, and what explains the difference."""

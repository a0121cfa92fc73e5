"""Write files on local disk: whole or not at all, and removed by the next run where a run was killed."""

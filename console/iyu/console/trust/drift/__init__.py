"""`iyu drift`: a window of days against reference days, judged by shuffling whole days."""

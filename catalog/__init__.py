"""The item catalogue (审批事项管理): one numbered, versioned list of what each department approves.

In what time, with which papers, and what must be there before; who changed what, when and why.
"""
